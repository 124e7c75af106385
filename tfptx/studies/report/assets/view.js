// This holds the viewer: which cases are listed, in which order, and the one that is shown.

const KINDS = {
  ...OUTCOMES, positive: "Positive", negative: "Negative", unlabelled: "Without annotation",
};
const ANY = "any";
// A case that lacks a number comes last.
const by = (name, sign) => (one, other) =>
  sign * ((one[name] ?? sign * Infinity) - (other[name] ?? sign * Infinity)) || 0;
const ORDERS = {
  "as they come": null,
  "smallest annotation first": by("truth", 1),
  "largest annotation first": by("truth", -1),
  "smallest mask first": by("mask", 1),
  "largest mask first": by("mask", -1),
  "lowest Dice first": by("dice", 1),
};

// A labelled choice among texts.
function choice(name, options, words = (option) => option) {
  const label = document.createElement("label");
  const select = document.createElement("select");
  select.name = name;
  for (const option of options) select.append(new Option(words(option), option));
  label.append(`${name} `, select);
  return label;
}

const inPixels = (value) => (value === null ? "none" : `${value} px`);

class Viewer {
  constructor(rows) {
    this.rows = rows.map((row, place) => ({ ...row, place }));
    this.filters = find("#view-filters");
    this.list = find("#view-list");
  }

  start() {
    const kinds = Object.keys(KINDS).filter((kind) => this.rows.some((row) => row.kind === kind));
    this.filters.append(choice("outcome", [ANY, ...kinds], (kind) => KINDS[kind] ?? kind));
    for (const column of new Set(this.rows.flatMap((row) => Object.keys(row.groups)))) {
      const values = [...new Set(this.rows.map((row) => row.groups[column] ?? ANY))];
      if (values.length > 1) {
        this.filters.append(choice(column, [ANY, ...values.filter((value) => value !== ANY)]));
      }
    }
    const hasMasks = this.rows.some((row) => row.mask !== null);
    const orders = Object.keys(ORDERS).filter((name) => hasMasks || !/mask|Dice/.test(name));
    this.filters.append(choice("order", orders));
    this.filters.addEventListener("change", () => this.fill());
    this.list.addEventListener("change", () => this.show());
    find("#view-outlines").addEventListener("change", () => this.draw());
    find("#view-previous").addEventListener("click", () => this.step(-1));
    find("#view-next").addEventListener("click", () => this.step(1));
    this.fill();
  }

  matching() {
    const { outcome, order, ...groups } = Object.fromEntries(
      [...this.filters.querySelectorAll("select")].map(({ name, value }) => [name, value]),
    );
    const isShown = (row) => (outcome === ANY || row.kind === outcome) &&
      Object.entries(groups).every(([name, value]) => value === ANY || row.groups[name] === value);
    const found = this.rows.filter(isShown);
    return ORDERS[order] ? found.sort(ORDERS[order]) : found;
  }

  fill() {
    const found = this.matching();
    const options = found.map((row) => {
      const dice = row.dice === null ? "" : `, Dice ${row.dice.toFixed(3)}`;
      return new Option(`${KINDS[row.kind]}${dice}: ${row.id}`, row.place);
    });
    this.list.replaceChildren(...options);
    find("#view-count").textContent = `${found.length} of ${this.rows.length} cases`;
    find("#view-case").hidden = !found.length;
    if (!found.length) return;
    this.list.selectedIndex = 0;
    this.show();
  }

  step(by) {
    const next = this.list.selectedIndex + by;
    if (next < 0 || next >= this.list.options.length) return;
    this.list.selectedIndex = next;
    this.show();
  }

  async show() {
    const place = Number(this.list.value);
    this.asked = place;
    const answer = await fetch(`cases/${place}`).then((response) => response.json())
      .catch(() => ({ error: "the server has ended; start tfptx view again" }));
    const problem = find("#view-problem");
    problem.hidden = !answer.error;
    problem.textContent = answer.error ?? "";
    if (answer.error) return;
    const unpacked = [unpackBytes(answer.packed), pictureOf(answer.picture)];
    const [bytes, picture] = await Promise.all(unpacked);
    // Another one may have been asked for meanwhile.
    if (this.asked !== place) return;
    this.shown = { row: this.rows[place], picture, ...layersOf(answer, bytes, picture) };
    this.draw();
  }

  draw() {
    const { row, picture, ...layers } = this.shown;
    const isOutlined = find("#view-outlines").checked;
    const drawn = isOutlined ? layers : { ...layers, truth: layers.none };
    const isMask = (at) => isOutlined && layers.mask[at] > 0;
    drawCase(find("#view-canvas"), picture, drawn, isMask, false);
    find("#view-probability-figure").hidden = !layers.levels;
    if (layers.levels) drawCase(find("#view-probability"), picture, drawn, isMask, true);
    const outcome = KINDS[row.kind];
    find("#view-canvas").setAttribute("aria-label", `${outcome}: ${row.id}`);
    find("#view-probability").setAttribute("aria-label", `Probability: ${row.id}`);
    const facts = {
      outcome,
      dice: row.dice === null ? "none" : row.dice.toFixed(4),
      mask: inPixels(row.mask),
      truth: inPixels(row.truth),
      subject: row.subject,
      id: row.id,
    };
    for (const [name, words] of Object.entries(facts)) {
      find(`[data-fact=${name}]`).textContent = words;
    }
    find("#view-case").dataset.shown = row.place;
  }
}

// The layers of a case by name; those of truth and mask that it lacks are empty.
function layersOf(answer, bytes, picture) {
  const rows = answer.rows || picture.naturalHeight;
  const columns = answer.columns || picture.naturalWidth;
  const size = rows * columns;
  const none = new Uint8Array(size);
  const known = answer.layers.map((name, i) => [name, bytes.subarray(i * size, (i + 1) * size)]);
  return { rows, columns, none, truth: none, mask: none, ...Object.fromEntries(known) };
}

new Viewer(JSON.parse(find("#view-data").textContent)).start();
