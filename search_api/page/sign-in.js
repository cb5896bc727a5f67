// Shows the service a key once; what stands for it afterwards is a cookie that no script can read.
const signIn = document.getElementById("sign-in");
const signOut = document.getElementById("sign-out");
const status = document.getElementById("status");

async function ask(method, body) {
  const headers = body ? { "Content-Type": "application/json" } : {};
  const response = await fetch("/v1/session", { method, headers, body: body && JSON.stringify(body) });
  if (response.status === 204) return null;
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  return answer;
}

function told(work) {
  return async (event) => {
    event.preventDefault();
    status.textContent = "…";
    try {
      await work();
    } catch (error) {
      status.textContent = error.message;
    }
  };
}

function show(session) {
  const inside = session.authentication === "off" || session.name !== null;
  signIn.hidden = inside;
  signOut.hidden = !inside;
  signOut.querySelector("button").hidden = session.name === null;
  document.getElementById("who").textContent =
    session.name === null ? "This service asks for no key." : `Signed in with the key “${session.name}” (${session.scope}).`;
}

signIn.addEventListener("submit", told(async () => {
  await ask("POST", { key: document.getElementById("key").value });
  if (location.pathname === "/") location.reload(); // to what the address asks for
  else location.assign("/");
}));
signOut.addEventListener("submit", told(async () => {
  await ask("DELETE");
  location.assign("/");
}));
ask("GET").then(show, (error) => { status.textContent = error.message; });
