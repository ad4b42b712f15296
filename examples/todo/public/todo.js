// SPDX-License-Identifier: MIT
// The page of the todo example: what it shows is what /api/todos/subscribe tells it. Nothing but the browser is needed.

const API = "/api/todos";
const RETRY_MS = 1000, RETRY_MAX_MS = 30000, NOTICE_MS = 6000;

const $ = (id) => document.getElementById(id);
const state = $("state"), list = $("list"), empty = $("empty"), notice = $("notice"), template = $("row");

/* id -> row as the server sent it; rows that it has not confirmed yet have an id of ours and `pending`. */
const rows = new Map();
/* The same ids -> what is on the page. */
const items = new Map();
let loaded = false;
let filter = "all";

// --- what the server tells ---------------------------------------------------------------------------

let stream = null, failures = 0;

/*
 * A new EventSource gets all rows. When only the connection breaks, the browser connects again by itself and sends
 * Last-Event-ID, so that the server tells what was missed, or "invalidate" when it does not know any more.
 */
function follow() {
  let first = true;
  const source = new EventSource(`${API}/subscribe`);

  stream?.close();
  stream = source;
  source.addEventListener("connected", () => {
    failures = 0;
    if (first) forgetConfirmed();
    first = false;
    loaded = true;
    showState("live");
    render();
  });
  source.addEventListener("message", (event) => onEvent(JSON.parse(event.data)));
  source.addEventListener("error", () => {
    showState("reconnecting");
    /* Refused, not broken: a browser gives up then. */
    if (source.readyState === EventSource.CLOSED && source === stream)
      setTimeout(follow, Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** failures++) * (0.5 + Math.random() / 2));
  });
}

function onEvent(event) {
  switch (event.type) {
  case "existing":
  case "added":
    confirm(event.meta?.optimisticId, event.object);
    break;
  case "changed":
    take(event.object);
    break;
  case "removed":
    rows.delete(event.objectId);
    break;
  case "invalidate":
    follow();
    return;
  }
  render();
}

function forgetConfirmed() {
  for (const [id, row] of rows) if (!row.pending) rows.delete(id);
}

/* An answer and an event may overtake each other; the version says which is newer. */
function take(row) {
  const known = rows.get(String(row.id));
  if (!known || row.version >= known.version) rows.set(String(row.id), row);
}

/* What was added here gets the id that the server gave it, and keeps its place on the page. */
function confirm(optimisticId, row) {
  const id = String(row.id), item = items.get(optimisticId);
  if (item && !items.has(id)) {
    items.delete(optimisticId);
    items.set(id, item);
  }
  rows.delete(optimisticId);
  rows.set(id, row);
}

function showState(name) {
  if (state.dataset.state === name) return;
  state.dataset.state = name;
  state.textContent = name;
}

// --- what the server is told -------------------------------------------------------------------------

async function send(method, path, body, headers = {}) {
  let response, text;
  try {
    response = await fetch(API + path, {
      method, headers: body ? { "Content-Type": "application/json", ...headers } : headers, body: body && JSON.stringify(body),
    });
    text = await response.text();
  } catch {
    throw new Error("The server cannot be reached. Nothing was changed.");
  }
  let answer = null;
  try { answer = JSON.parse(text); } catch { /* 204, or a proxy's page */ }
  if (response.ok) return answer;
  if (response.status === 412) throw new Error("Somebody else changed this meanwhile; here is what they wrote.");
  throw new Error(answer?.errors?.[0]?.message ?? answer?.detail ?? `The server answered ${response.status}.`);
}

async function add(title) {
  const id = `optimistic_${Date.now()}_${Math.random().toString(36).slice(2)}`;
  rows.set(id, { id, title, done: false, version: 0, pending: true });
  render();
  try {
    const row = await send("POST", "", { title }, { "X-Covara-Optimistic-Id": id });
    if (rows.has(id)) confirm(id, row);
  } catch (error) {
    rows.delete(id);
    $("title").value ||= title;
    complain(error);
  }
  render();
}

/* Shown at once. When it fails, the row is what the server has. */
async function change(id, changes, headers) {
  const before = rows.get(id);
  if (!before || before.pending) return;
  rows.set(id, { ...before, ...changes });
  render();
  try {
    const row = await send("PATCH", `/${encodeURIComponent(id)}`, changes, headers);
    if (rows.has(id)) take(row);
  } catch (error) {
    if (rows.get(id)?.version === before.version) rows.set(id, before);
    complain(error);
  }
  render();
}

async function remove(id) {
  const before = rows.get(id);
  if (!before || before.pending) return;
  focusBeside(items.get(id));
  rows.delete(id);
  render();
  try {
    await send("DELETE", `/${encodeURIComponent(id)}`);
  } catch (error) {
    if (!rows.has(id)) rows.set(id, before);
    complain(error);
    render();
  }
}

let noticeTimer;
function complain(error) {
  notice.textContent = error.message;
  notice.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => { notice.hidden = true; }, NOTICE_MS);
}

// --- the page ----------------------------------------------------------------------------------------

/* Newest first. Texts go into the page as text, never as HTML. */
const newestFirst = (a, b) => (b.pending ? Infinity : b.id) - (a.pending ? Infinity : a.id) || 0;
const shown = (row) => filter === "all" || row.done === (filter === "done");

let drawing = false;
function render() {
  if (drawing) return;
  drawing = true;
  /* A hidden window has no frames but shall be right when it is looked at. */
  if (document.hidden) queueMicrotask(draw);
  else requestAnimationFrame(draw);
}

function draw() {
  drawing = false;
  const all = [...rows.values()], wanted = all.filter(shown).sort(newestFirst);
  const kept = new Set(wanted.map((row) => itemOf(String(row.id))));
  /* What goes, goes first: the rest then stays where it is, and so does the focus. */
  for (const item of [...list.children]) if (!kept.has(item)) item.remove();
  let next = list.firstElementChild;
  for (const row of wanted) {
    const item = itemOf(String(row.id));
    fill(item, row);
    if (item === next) next = next.nextElementSibling;
    else list.insertBefore(item, next);
  }
  for (const id of [...items.keys()]) if (!rows.has(id)) items.delete(id);

  const done = all.filter((row) => row.done).length, open = all.length - done;
  for (const count of document.querySelectorAll("[data-count]"))
    count.textContent = { all: all.length, open, done }[count.dataset.count];
  $("progress").value = all.length ? done / all.length : 0;
  empty.hidden = wanted.length > 0;
  empty.textContent = !loaded ? "Loading" : filter === "done" ? "Nothing is done yet."
    : all.length ? "All done." : "Nothing to do. Add something above.";
  document.title = open ? `(${open}) Todos` : "Todos";
}

function itemOf(id) {
  let item = items.get(id);
  if (!item) {
    item = template.content.firstElementChild.cloneNode(true);
    items.set(id, item);
  }
  item.dataset.id = id;
  return item;
}

function fill(item, row) {
  const box = item.querySelector(".done"), title = item.querySelector(".title");
  box.checked = row.done;
  box.disabled = Boolean(row.pending);
  box.setAttribute("aria-label", `Done: ${row.title}`);
  if (title.textContent !== row.title) title.textContent = row.title;
  item.querySelector(".delete").setAttribute("aria-label", `Delete ${row.title}`);
  item.classList.toggle("done-row", row.done);
  item.classList.toggle("pending", Boolean(row.pending));
}

function focusBeside(item) {
  const neighbour = item?.nextElementSibling ?? item?.previousElementSibling;
  if (item?.contains(document.activeElement)) (neighbour?.querySelector(".delete") ?? $("title")).focus();
}

function beginEdit(item) {
  const title = item.querySelector(".title"), edit = item.querySelector(".edit");
  if (!rows.has(item.dataset.id) || rows.get(item.dataset.id).pending) return;
  edit.value = title.textContent;
  edit.dataset.version = rows.get(item.dataset.id).version;
  edit.hidden = false;
  title.hidden = true;
  edit.focus();
  edit.select();
}

function endEdit(item, save) {
  const title = item.querySelector(".title"), edit = item.querySelector(".edit"), text = edit.value.trim();
  if (edit.hidden) return;
  const focused = edit === document.activeElement;
  edit.hidden = true;
  title.hidden = false;
  if (focused) title.focus();
  /* The version that was edited: what somebody else wrote meanwhile is not overwritten. */
  if (save && text && text !== rows.get(item.dataset.id)?.title)
    change(item.dataset.id, { title: text }, { "If-Match": `"${edit.dataset.version}"` });
}

$("add").addEventListener("submit", (event) => {
  event.preventDefault();
  const input = $("title"), title = input.value.trim();
  input.value = "";
  if (title) add(title);
});

list.addEventListener("click", (event) => {
  const item = event.target.closest("li");
  if (event.target.closest(".delete")) remove(item.dataset.id);
  else if (event.target.matches(".title")) beginEdit(item);
});
list.addEventListener("change", (event) => {
  if (event.target.matches(".done")) change(event.target.closest("li").dataset.id, { done: event.target.checked });
});
list.addEventListener("keydown", (event) => {
  if (!event.target.matches(".edit") || event.isComposing) return;
  if (event.key !== "Enter" && event.key !== "Escape") return;
  event.preventDefault(); /* the key is not for the button that gets the focus */
  endEdit(event.target.closest("li"), event.key === "Enter");
});
list.addEventListener("focusout", (event) => {
  if (event.target.matches(".edit")) endEdit(event.target.closest("li"), true);
});

function choose(name) {
  const radio = document.querySelector(`#filter input[value="${["open", "done"].includes(name) ? name : "all"}"]`);
  radio.checked = true;
  filter = radio.value;
  render();
}
$("filter").addEventListener("change", (event) => {
  history.replaceState(null, "", event.target.value === "all" ? location.pathname : `#${event.target.value}`);
  choose(event.target.value);
});
addEventListener("hashchange", () => choose(location.hash.slice(1)));

choose(location.hash.slice(1));
follow();
