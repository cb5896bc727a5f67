# WhyAlike on the CPU, where ONNX Runtime computes encoders. For an NVIDIA GPU:
#   docker build --build-arg EXTRA=gpu,heif,postgres --build-arg RUNTIME=torch \
#     --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130 .
FROM python:3.11-slim

# What OpenCV's wheel expects of the system.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends libgl1 libglib2.0-0 \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home --uid 1000 whyalike \
 && mkdir /home/whyalike/home \
 && chown whyalike: /home/whyalike/home

ARG EXTRA=cpu,heif,onnx,postgres
ARG RUNTIME=onnx
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu

# Torch first: it is most of the image and changes least.
WORKDIR /src
COPY constraints.txt ./
RUN pip install --no-cache-dir --index-url "$TORCH_INDEX" \
    $(sed -n -E 's/^(torch|torchvision)==([^ ;]+).*/\1==\2/p' constraints.txt)
COPY . .
RUN pip install --no-cache-dir -c constraints.txt ".[$EXTRA]"

USER whyalike
WORKDIR /home/whyalike
ENV WHYALIKE_HOME=/home/whyalike/home \
    WHYALIKE_RUNTIME=$RUNTIME \
    TORCH_HOME=/home/whyalike/home/torch \
    MPLCONFIGDIR=/tmp/matplotlib
VOLUME /home/whyalike/home
EXPOSE 8000

# Alive, not ready: /readyz refuses until the first gallery is published, and a new service is not ill.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/livez', timeout=4)"]

ENTRYPOINT ["whyalike"]
CMD ["serve", "--host", "0.0.0.0"]
