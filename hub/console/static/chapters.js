// The chapters of a lesson beside its player: shown, jumped to, followed, and edited by whoever operates the hub.
// The player tells its time and takes a moment to go to by events, so neither module knows the other's address.

const LOW = 0.6; // a title read less surely is said to be uncertain; of rendered decks, right titles lie at 0.6 and more
const BACK_S = 3; // "previous" goes to the beginning of this chapter, if that is longer ago
const LEAST_S = 0.05; // nearer to a chapter's beginning nothing can be split

const root = document.getElementById("chapters");
const player = document.getElementById("player");
const words = JSON.parse(root.dataset.words);
const total = Number(player.dataset.seconds);
const by = (name) => document.getElementById(`chapters-${name}`);
const list = by("list");
const strip = by("strip");

let kept = null; // as the hub has it
let draft = null; // as it is being edited: [{t, title, source, confidence}]
let t = 0;
let current = -1;
let changed = false;

const say = (key, values = {}) =>
  Object.entries(values).reduce((text, [name, value]) => text.replace(`{${name}}`, () => value), words[key]);

function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (part) => String(part).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  return `${hours ? `${hours}:` : ""}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return whole < 60 ? `${whole}″` : `${Math.floor(whole / 60)}′${String(whole % 60).padStart(2, "0")}″`;
}

function make(tag, about = {}, ...inside) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...inside);
  return made;
}

const rows = () => draft ?? kept?.chapters ?? [];
const endOf = (index) => rows()[index + 1]?.t ?? total;
const indexAt = (moment) => rows().findLastIndex((one) => one.t <= moment + 0.001);
const go = (moment) => player.dispatchEvent(new CustomEvent("lesson-go", { detail: moment }));

// --- what is shown -------------------------------------------------------------------------------------------------

function show() {
  list.replaceChildren(...rows().map((one, index) => (draft ? draftRow(one, index) : row(one, index))));
  strip.replaceChildren(...rows().map(segment), make("i"));
  by("edit").hidden = draft !== null || !kept || kept.rev === 0;
  by("tools").hidden = draft === null;
  by("back").hidden = draft !== null || !kept?.edited;
  by("from").textContent = !kept
    ? ""
    : kept.edited
      ? say("edited_by", { who: kept.editor, when: new Date(kept.changed * 1000).toLocaleString(document.documentElement.lang) })
      : say("derived");
  by("count").textContent = say("count", { count: rows().length });
  current = -1;
  follow();
}

function row(one, index) {
  const source = make("span", { className: "from" }, say(`source.${one.source}`));
  if (one.source !== "mark" && one.confidence !== null && one.confidence < LOW) source.append(` · ${say("low")}`);
  const spoken = make("span", { className: "unseen" }, say("length", { length: span(one.seconds) }));
  const lasts = make("span", { className: "muted" }, spoken, make("span", { ariaHidden: "true" }, length(one.seconds)));
  const name = make("span", { className: one.title ? "name" : "name muted" }, one.title ?? say("untitled"));
  const button = { type: "button", className: "chapter", onclick: () => go(one.t) };
  return make("li", {}, make("button", button, make("span", {}, span(one.t)), name, lasts, source));
}

function segment(one, index) {
  const made = make("span", { title: `${span(one.t)} ${one.title ?? say("untitled")}` }, one.title ?? "");
  made.style.left = `${(one.t / total) * 100}%`;
  made.style.width = `${((endOf(index) - one.t) / total) * 100}%`;
  return made;
}

function follow() {
  const now = strip.querySelector("i");
  if (now) now.style.left = `${(t / total) * 100}%`;
  const index = indexAt(t);
  if (draft) judgeMoves();
  if (index === current) return;
  current = index;
  [...list.children].forEach((one, at) => {
    if (at === index) one.setAttribute("aria-current", "true");
    else one.removeAttribute("aria-current");
  });
  [...strip.querySelectorAll("span")].forEach((one, at) => one.classList.toggle("current", at === index));
  const shown = list.children[index]; // the list alone is scrolled: the page must not jump under whoever reads it
  if (!shown || list.contains(document.activeElement)) return;
  const above = shown.offsetTop - list.offsetTop;
  if (above < list.scrollTop) list.scrollTop = above;
  else if (above + shown.offsetHeight > list.scrollTop + list.clientHeight)
    list.scrollTop = above + shown.offsetHeight - list.clientHeight;
}

// --- editing -------------------------------------------------------------------------------------------------------

function draftRow(one, index) {
  const number = index + 1;
  const tool = (what, act, first) =>
    make("button", { type: "button", ariaLabel: say("of", { what: say(what), row: number }), onclick: act, disabled: first }, say(what));
  const title = make("input", {
    type: "text",
    maxLength: 200,
    value: one.title ?? "",
    placeholder: say("untitled"),
    ariaLabel: say("name", { row: number }),
    oninput: () => {
      one.title = title.value.trim() || null;
      touch();
    },
  });
  const jump = make("button", { type: "button", onclick: () => go(one.t) }, span(one.t));
  const move = tool("move", () => alter(index, () => (one.t = rounded(t))), index === 0);
  move.dataset.move = index;
  return make(
    "li",
    { className: "draft" },
    make("div", { className: "row" }, jump, title),
    make(
      "div",
      { className: "row" },
      move,
      tool("merge", () => alter(index - 1, () => merge(index)), index === 0),
      tool("delete", () => alter(Math.max(0, index - 1), () => remove(index)), draft.length === 1),
    ),
  );
}

const rounded = (moment) => Math.round(moment * 10) / 10;

function judgeMoves() {
  const to = rounded(t); // a chapter may begin between those beside it
  for (const move of list.querySelectorAll("[data-move]")) {
    const index = Number(move.dataset.move);
    move.disabled = index === 0 || to <= draft[index - 1].t || to >= endOf(index) || to === draft[index].t;
  }
  const here = draft[indexAt(to)];
  by("split").disabled = !here || to - here.t < LEAST_S || to >= total;
  by("split").title = by("split").disabled ? say("no_split") : "";
}

function touch() {
  changed = true;
  by("said").textContent = say("unsaved");
}

// One change of the draft; the focus goes to the title of the row that it leaves.
function alter(focused, act) {
  act();
  touch();
  show();
  list.children[focused]?.querySelector("input").focus();
}

function merge(index) {
  const [before, after] = [draft[index - 1], draft[index]];
  const titles = [before.title, after.title].filter((one, at, all) => one && all.indexOf(one) === at);
  before.title = titles.join(" / ").slice(0, 200) || null;
  draft.splice(index, 1);
}

function remove(index) {
  draft.splice(index, 1);
  if (index === 0) draft[0].t = 0; // what follows begins with the lesson
}

by("edit").addEventListener("click", () => {
  draft = kept.chapters.map((one) => ({ ...one }));
  changed = false;
  by("said").textContent = "";
  show();
  list.children[Math.max(0, current)]?.querySelector("input").focus();
});

by("split").addEventListener("click", () => {
  const index = indexAt(t) + 1;
  alter(index, () => draft.splice(index, 0, { t: rounded(t), title: null, source: "edited", confidence: null }));
});

function leave(words) {
  draft = null;
  changed = false;
  by("conflict").hidden = true;
  by("said").textContent = words;
  show();
  by("edit").focus();
}

by("cancel").addEventListener("click", () => leave(""));
by("save").addEventListener("click", () => save(kept.rev));
addEventListener("beforeunload", (event) => {
  if (changed) event.preventDefault();
});

// --- the hub -------------------------------------------------------------------------------------------------------

async function ask(method, body, query = "") {
  try {
    const headers = body ? { "Content-Type": "application/json" } : {};
    const answer = await fetch(root.dataset.address + query, { method, headers, body: body && JSON.stringify(body) });
    return { status: answer.status, said: await answer.json() };
  } catch {
    return { status: 0, said: {} };
  }
}

async function save(rev) {
  by("conflict").hidden = true;
  by("said").textContent = say("saving");
  by("save").disabled = true;
  const chapters = draft.map((one) => ({ t: one.t, title: one.title }));
  const answer = await ask("PUT", { rev, chapters });
  by("save").disabled = false;
  if (answer.status !== 200) return refused(answer);
  kept = answer.said;
  leave(say("saved"));
}

function refused({ status, said }) {
  by("said").textContent = "";
  if (said.newest) {
    const newest = said.newest;
    by("conflict-words").textContent = newest.edited ? say("conflict", { who: newest.editor }) : say("conflict_derived");
    by("conflict").hidden = false;
    by("newest").onclick = () => {
      kept = newest;
      leave("");
    };
    by("mine").hidden = draft === null;
    by("mine").onclick = () => save(newest.rev);
    by("newest").focus();
    return;
  }
  let why = { 0: say("away"), 401: say("signed_out"), 410: say("gone") }[status] ?? say("failed");
  if (said.reason) why = words[`unfit.${said.reason}`];
  by("said").textContent = said.row ? say("row", { row: said.row, words: why }) : why;
  const wrong = said.row && list.children[said.row - 1]?.querySelector("input");
  if (wrong) {
    wrong.setAttribute("aria-invalid", "true");
    wrong.focus();
  }
}

const confirm = by("confirm");
by("revert").addEventListener("click", () => confirm.showModal());
by("confirm-no").addEventListener("click", () => confirm.close());
by("confirm-yes").addEventListener("click", async () => {
  confirm.close();
  const answer = await ask("DELETE", null, `?rev=${kept.rev}`);
  if (answer.status !== 200) return refused(answer);
  kept = answer.said;
  leave(say("reverted"));
});

// --- moving about --------------------------------------------------------------------------------------------------

function previous() {
  const index = indexAt(t);
  const start = rows()[index]?.t ?? 0;
  go(t - start > BACK_S || index < 1 ? start : rows()[index - 1].t);
}

function next() {
  const index = indexAt(t) + 1;
  if (index < rows().length) go(rows()[index].t);
}

document.getElementById("chapter-previous").addEventListener("click", previous);
document.getElementById("chapter-next").addEventListener("click", next);
player.addEventListener("keydown", (event) => {
  const types = event.target.matches("input[type=text], select, textarea");
  if (types || event.ctrlKey || event.altKey || event.metaKey) return;
  // By the key's place as well: a Chinese input method gives other signs for it.
  if (event.key === "[" || event.code === "BracketLeft") previous();
  else if (event.key === "]" || event.code === "BracketRight") next();
});
strip.addEventListener("click", (event) => {
  const box = strip.getBoundingClientRect();
  const index = indexAt(((event.clientX - box.left) / box.width) * total);
  if (index >= 0) go(rows()[index].t);
});
player.addEventListener("lesson-time", (event) => {
  t = event.detail;
  follow();
});

const answer = await ask("GET");
if (answer.status === 200) kept = answer.said;
else by("said").textContent = say("not_loaded");
show();
