// A plan's pages: follow the process that solves it, show another week as soon as it is chosen, and send a form once.
// Without this module the forms have buttons, and the page a link that loads it again.

const EVERY_MS = 1000;
const solving = document.getElementById("solving");

async function follow() {
  try {
    const answer = await fetch(solving.dataset.source);
    if (answer.redirected || answer.status === 401) {
      location.reload();
      return;
    }
    if (answer.ok) {
      const html = await answer.text();
      if (!html.includes("data-running")) {
        location.reload();
        return;
      }
      const focused = solving.contains(document.activeElement);
      solving.innerHTML = html;
      if (focused) solving.querySelector("button")?.focus();
    }
  } catch {
    // The hub is away for a moment: it is asked again.
  }
  setTimeout(follow, EVERY_MS);
}

if (solving?.dataset.source) setTimeout(follow, EVERY_MS);

// Why requests are not served takes a second or two where nobody has asked before: the list comes again with it.
async function explain() {
  const requests = document.getElementById("requests");
  if (!requests?.dataset.source) return;
  try {
    const answer = await fetch(requests.dataset.source);
    if (!answer.ok || answer.redirected) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("requests");
    if (made && !requests.contains(document.activeElement)) requests.replaceWith(made);
    else requests.querySelector(".seeking")?.remove();
  } catch {
    requests.querySelector(".seeking")?.remove();
  }
}

explain();

for (const form of document.querySelectorAll("form[data-choice]")) {
  form.addEventListener("change", (event) => {
    // Another school has other rooms: what was chosen in the one before means nothing there.
    if (event.target.name === "school" && form.elements.whose) form.elements.whose.value = "";
    form.requestSubmit();
  });
}

// What takes a moment is asked for once, however often it is clicked.
for (const form of document.querySelectorAll("form[data-once]")) {
  const button = form.querySelector("button[type=submit]");
  const words = button.textContent;
  form.addEventListener("submit", (event) => {
    if (form.ariaBusy === "true") {
      event.preventDefault();
      return;
    }
    form.ariaBusy = "true";
    button.setAttribute("aria-disabled", "true");
    if (form.dataset.once) button.textContent = form.dataset.once;
  });
  // Whoever comes back finds the form as it was.
  addEventListener("pageshow", () => {
    form.ariaBusy = "false";
    button.removeAttribute("aria-disabled");
    button.textContent = words;
  });
}
