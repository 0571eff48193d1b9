// A plan's page: follows the process that solves it, and shows another week as soon as it is chosen.
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
    if (event.target.name === "school") form.elements.whose.value = "";
    form.requestSubmit();
  });
}
