/* The timeline with a mouse or a finger: make, move and stretch a booking. The page works without this script.

A dragged booking is posted by the form `drag`, as the form "Move" posts it; a dragged free span leads to the form of a
new booking. The server decides. Until it has answered, the picture shows what was wanted; a refusal draws it anew. */
"use strict";

(() => {
  const table = document.querySelector("table.timeline");
  if (!table || !window.interact) return;
  const form = document.getElementById("drag");
  const told = document.getElementById("told");
  const STEP = 15; // minutes between two times that a drag can mean
  const MINUTE = 60000;
  const isDay = table.classList.contains("day");
  const unit = Number(table.dataset.unit);
  let wasDragged = false;

  const say = (words) => { told.textContent = words; };
  const moment = (text, minutes) => new Date(Date.parse(text) + minutes * MINUTE).toISOString();
  const clock = (iso) => `${iso.slice(11, 16)} UTC`;

  /* How wide a minute is, in pixels. */
  const minuteWidth = () => {
    const headings = [...table.querySelectorAll("thead th:not(.name)")];
    const columns = headings.reduce((sum, heading) => sum + heading.colSpan, 0);
    const width = headings.at(-1).getBoundingClientRect().right - headings[0].getBoundingClientRect().left;
    return width / (columns * unit);
  };
  const minutesOf = (pixels) => Math.round(pixels / minuteWidth() / STEP) * STEP;

  /* The row or the cell at a place of the window, below what is dragged. */
  const at = (event, selector) =>
    document.elementsFromPoint(event.clientX, event.clientY)
      .filter((found) => table.contains(found) && !event.target.contains(found))
      .map((found) => found.closest(selector))
      .find((found) => found);

  const post = (entry, values) => {
    const wanted = { booking: entry.dataset.booking, seen: entry.dataset.seen, ...values };
    for (const [name, value] of Object.entries(wanted)) form.elements[name].value = value;
    say("Sent.");
    form.requestSubmit();
  };

  const shift = (entry, x, y) => {
    entry.style.transform = `translate(${x}px, ${y}px)`;
  };

  const drop = (entry) => {
    entry.classList.remove("dragged");
    entry.style.transform = entry.style.width = entry.style.marginLeft = "";
  };

  const entries = "table.timeline a.entry[data-booking]";

  // --- Move ---------------------------------------------------------------------------------------------------------

  const moved = { x: 0, y: 0 };
  window.interact(entries).draggable({
    autoScroll: { container: table.parentElement },
    listeners: {
      start(event) {
        Object.assign(moved, { x: 0, y: 0 });
        event.target.classList.add("dragged");
        wasDragged = true;
      },
      move(event) {
        moved.x += event.dx;
        moved.y += event.dy;
        shift(event.target, moved.x, moved.y);
        if (isDay) say(`Starts at ${clock(moment(event.target.dataset.start, minutesOf(moved.x)))}`);
      },
      end(event) {
        const entry = event.target;
        const row = at(event, "tr[data-resource]") || entry.closest("tr");
        const cell = at(event, "td[data-day]");
        const days = isDay || !cell ? 0 : daysBetween(entry.closest("td").dataset.day, cell.dataset.day);
        const minutes = isDay ? minutesOf(moved.x) : 0;
        const isSame = minutes === 0 && days === 0 && row === entry.closest("tr");
        if (isSame) {
          drop(entry);
          return;
        }
        const values = { resource: row.dataset.resource, days: days || "" };
        for (const [name, text] of [["start_time", entry.dataset.start], ["end_time", entry.dataset.end]]) {
          values[name] = moment(text, minutes);
        }
        post(entry, values);
      },
    },
  });

  const daysBetween = (from, to) => Math.round((Date.parse(to) - Date.parse(from)) / (24 * 60 * MINUTE));

  // --- Stretch ------------------------------------------------------------------------------------------------------

  if (isDay) {
    window.interact(entries).resizable({
      edges: { left: true, right: true },
      margin: 6,
      listeners: {
        start(event) {
          event.target.classList.add("dragged");
          wasDragged = true;
        },
        move(event) {
          const left = parseFloat(event.target.style.marginLeft || "0") + event.deltaRect.left;
          event.target.style.marginLeft = `${left}px`;
          event.target.style.width = `${event.rect.width}px`;
          say(`${Math.round(event.rect.width / minuteWidth() / STEP) * STEP} minutes`);
        },
        end(event) {
          const entry = event.target;
          const cell = entry.closest("td").getBoundingClientRect();
          const box = entry.getBoundingClientRect();
          const before = minutesOf(box.left - cell.left);
          const after = minutesOf(box.right - cell.right);
          const start = moment(entry.dataset.start, before);
          const end = moment(entry.dataset.end, after);
          if ((before === 0 && after === 0) || end <= start) {
            drop(entry);
            return;
          }
          post(entry, { resource: entry.closest("tr").dataset.resource, start_time: start, end_time: end });
        },
      },
    });
  }

  // --- Make: drag over free cells of one row -------------------------------------------------------------------------

  const chosen = [];
  window.interact("table.timeline.day td.free").draggable({
    listeners: {
      start(event) {
        wasDragged = true;
        choose(event.target, event.target);
      },
      move(event) {
        const cell = at(event, "td.free");
        if (cell && cell.parentElement === event.target.parentElement) choose(event.target, cell);
      },
      end() {
        const links = chosen.map((cell) => cell.querySelector("a"));
        const address = new URL(links[0].href);
        address.searchParams.set("end_time", links.at(-1).dataset.end);
        window.location.assign(address);
      },
    },
  }).styleCursor(false);

  /* Marks the free cells from one to the other. */
  const choose = (from, to) => {
    const cells = [...from.parentElement.children];
    const [first, last] = [cells.indexOf(from), cells.indexOf(to)].sort((one, other) => one - other);
    const span = cells.slice(first, last + 1);
    if (!span.every((cell) => cell.classList.contains("free"))) return;
    for (const cell of chosen) cell.classList.remove("chosen");
    chosen.splice(0, chosen.length, ...span);
    for (const cell of chosen) cell.classList.add("chosen");
  };

  // A drag ends with a click, which must not follow the link below it.
  table.addEventListener("click", (event) => {
    if (wasDragged) event.preventDefault();
    wasDragged = false;
  }, true);
  table.addEventListener("pointerdown", () => { wasDragged = false; }, true);
  table.addEventListener("dragstart", (event) => event.preventDefault());
})();
