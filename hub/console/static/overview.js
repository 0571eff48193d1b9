// The overview: new contents at each change the hub tells of, a clock that runs in between,
// and buttons that ask before they act.

const overview = document.getElementById("overview");
const connection = document.getElementById("connection");
const AGAIN_MS = [1000, 2000, 4000, 8000, 15000];
const QUIET_MS = 400; // least time between two loads of the overview
const FIGURES_MS = 3000; // figures of a running lesson come as telemetry, which nobody announces

let tries = 0;
let loading = false;
let again = false;
let loadedAt = performance.now();

function connected(yes) {
  connection.textContent = yes ? connection.dataset.on : connection.dataset.off;
  connection.classList.toggle("on", yes);
  connection.classList.toggle("off", !yes);
  overview.classList.toggle("stale", !yes);
}

async function load() {
  if (loading) {
    again = true;
    return;
  }
  loading = true;
  again = false;
  try {
    const answer = await fetch("/overview", { headers: { Accept: "text/html" }, redirect: "manual" });
    if (answer.type === "opaqueredirect" || answer.status === 401) {
      location.href = "/login";
      return;
    }
    if (answer.ok) show(await answer.text());
  } catch {
    connected(false); // the socket notices as well and tries again
  } finally {
    setTimeout(() => {
      loading = false;
      if (again) load();
    }, QUIET_MS);
  }
}

function show(html) {
  const focused = document.activeElement?.id;
  overview.innerHTML = html;
  loadedAt = performance.now();
  if (focused) document.getElementById(focused)?.focus();
  tick();
}

function listen() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/live`);
  socket.onmessage = () => {
    tries = 0;
    connected(true);
    load();
  };
  socket.onclose = () => {
    connected(false);
    const wait = AGAIN_MS[Math.min(tries, AGAIN_MS.length - 1)];
    tries += 1;
    setTimeout(() => {
      load(); // leads to the sign-in page where the hub no longer knows us
      listen();
    }, wait * (0.75 + Math.random() / 2));
  };
}

function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = (part) => String(part).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function tick() {
  const gone = (performance.now() - loadedAt) / 1000;
  for (const clock of overview.querySelectorAll("[data-clock]")) {
    const t = Number(clock.dataset.nowT) + gone;
    const seconds = Number(clock.dataset.seconds);
    const startsIn = clock.querySelector("[data-starts-in]");
    if (startsIn) {
      startsIn.textContent = span(-t);
      if (t >= 0) load();
      continue;
    }
    const elapsed = Math.min(t, seconds);
    clock.querySelector("[data-elapsed]").textContent = span(elapsed);
    clock.querySelector("[data-remaining]").textContent = span(seconds - elapsed);
    clock.querySelector("progress").value = elapsed;
  }
}

const dialog = document.getElementById("confirm");
const yes = document.getElementById("confirm-yes");
const failed = document.getElementById("confirm-failed");

overview.addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (!button) return;
  document.getElementById("confirm-words").textContent = button.dataset.words;
  yes.textContent = button.dataset.yes;
  yes.dataset.post = button.dataset.post;
  failed.hidden = true;
  dialog.showModal();
});
document.getElementById("confirm-no").addEventListener("click", () => dialog.close());
yes.addEventListener("click", async () => {
  yes.disabled = true;
  try {
    const answer = await fetch(yes.dataset.post, { method: "POST" });
    if (answer.ok) {
      dialog.close();
      load();
      return;
    }
    if (answer.status === 401) {
      location.href = "/login";
      return;
    }
    const moved = answer.status === 404 || answer.status === 409;
    failed.textContent = moved ? failed.dataset.changed : failed.dataset.words;
    failed.hidden = false;
    if (moved) load();
  } catch {
    failed.textContent = connection.dataset.off;
    failed.hidden = false;
  } finally {
    yes.disabled = false;
  }
});

setInterval(tick, 500);
setInterval(() => {
  if (!document.hidden && overview.querySelector("[data-elapsed]")) load();
}, FIGURES_MS);
listen();
