// The files of a lesson: added, taken out, and which room holds them.

const EVERY_MS = 5000;
const box = document.getElementById("materials");
const session = box.dataset.session;
const address = (name) => `/api/v1/sessions/${session}/materials/${encodeURIComponent(name)}`;
let busy = false;

// While somebody reaches for a button, nothing moves under the hand.
async function load() {
  if (document.hidden || busy || box.contains(document.activeElement)) return;
  try {
    const answer = await fetch(box.dataset.source, { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) location.reload(); // signed out
    else if (answer.ok) box.innerHTML = await answer.text();
  } catch {
    // the hub is away; what stands there is how it was
  }
}

function tell(words) {
  const place = document.getElementById("material-trouble");
  place.textContent = words;
  place.hidden = !words;
}

async function ask(name, how) {
  const answer = await fetch(address(name), { redirect: "manual", ...how });
  if (answer.ok) return "";
  try {
    const told = await answer.json();
    return `${name}: ${told.error}; ${told.what_to_do}`;
  } catch {
    return `${name}: HTTP ${answer.status}`;
  }
}

async function all(names, how) {
  busy = true;
  const trouble = [];
  for (const name of names) {
    try {
      const words = await ask(name, how(name));
      if (words) trouble.push(words);
    } catch (error) {
      trouble.push(`${name}: ${error.message}`);
    }
  }
  busy = false;
  document.activeElement?.blur();
  await load();
  if (trouble.length) tell(trouble.join(" · "));
}

box.addEventListener("change", (event) => {
  if (event.target.id !== "material") return;
  const files = new Map([...event.target.files].map((file) => [file.name, file]));
  all([...files.keys()], (name) => ({ method: "PUT", body: files.get(name) }));
});
box.addEventListener("click", (event) => {
  const name = event.target.dataset?.takeOut;
  if (name) all([name], () => ({ method: "DELETE" }));
});
load();
setInterval(load, EVERY_MS);
