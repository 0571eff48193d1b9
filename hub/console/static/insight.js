// How a running lesson goes: loaded anew while somebody looks; nobody announces telemetry.

const EVERY_MS = 3000;
const box = document.getElementById("insight");

async function load() {
  if (document.hidden) return;
  try {
    const answer = await fetch(box.dataset.source, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 204) {
      location.reload(); // signed out, or the lesson is over
      return;
    }
    if (answer.ok) box.innerHTML = await answer.text();
  } catch {
    // the hub is away; what stands there says up to when it holds
  }
}

setInterval(load, EVERY_MS);
