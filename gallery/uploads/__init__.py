"""Pictures that are sent: unpacked within limits, and kept as originals of the gallery's own."""
