// This holds the explorer: its sliders, and the numbers and masks that follow them.

const SHARES = new Set(["sensitivity", "specificity", "empty_share"]);
const QUIET_MS = 400; // after which a screen reader is told: not of every step of a slider

function shown(name, value) {
  if (Number.isNaN(value)) return "n/a";
  return SHARES.has(name) ? `${(100 * value).toFixed(1)}\u00a0%` : value.toFixed(4);
}

class Explorer {
  constructor(content, collections, root) {
    Object.assign(this, { content, collections, root });
    this.sliders = Object.fromEntries(
      ["top", "size", "bottom"].map((name) => [name, find(`#explorer-${name}`, root)]),
    );
    this.cases = collections.flatMap((collection) => casesOf(collection));
  }

  get isTriplet() {
    return find("#explorer-triplet", this.root).checked;
  }

  // The places of the thresholds, and the smallest size in pixels.
  get rule() {
    const bottom = Number(this.sliders.bottom.value);
    const top = this.isTriplet ? Number(this.sliders.top.value) : bottom;
    return { top, bottom, size: this.content.sizes[Number(this.sliders.size.value)] };
  }

  start() {
    const { levels, sizes, points } = this.content;
    this.sliders.top.max = this.sliders.bottom.max = levels.length - 1;
    this.sliders.size.max = sizes.length - 1;
    for (const [name, slider] of Object.entries(this.sliders)) {
      slider.addEventListener("input", () => this.moved(name));
    }
    for (const radio of this.root.querySelectorAll("input[name=explorer-rule]")) {
      radio.addEventListener("change", () => this.moved("bottom"));
    }
    find("#explorer-probability", this.root).addEventListener("change", () => this.draw());
    const buttons = find("#explorer-points", this.root);
    for (const point of points) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = point.name;
      button.addEventListener("click", () => this.set(point));
      buttons.append(button);
    }
    this.list();
    this.set(points[0] ?? { kind: "pair", top: 0, bottom: 0, size: 0 });
    this.root.dataset.ready = "";
    performance.mark("explorer-ready");
  }

  set({ kind, top, bottom, size }) {
    find(`#explorer-${kind}`, this.root).checked = true;
    this.sliders.top.value = top;
    this.sliders.bottom.value = bottom;
    this.sliders.size.value = size;
    this.update();
  }

  // A top threshold below the bottom one is no rule: the other slider goes along.
  moved(name) {
    const { top, bottom } = this.sliders;
    if (Number(top.value) < Number(bottom.value)) {
      if (name === "top") bottom.value = top.value;
      else top.value = bottom.value;
    }
    this.update();
  }

  update() {
    find("#explorer-top-row", this.root).hidden = !this.isTriplet;
    find("label[for=explorer-bottom]", this.root).textContent =
      this.isTriplet ? "bottom threshold" : "threshold";
    const { top, bottom, size } = this.rule;
    this.name("top", `${this.content.levels[top] / 10000}`);
    this.name("bottom", `${this.content.levels[bottom] / 10000}`);
    this.name("size", `${size} px`);
    this.tabulate();
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.tell(), QUIET_MS);
  }

  name(slider, words) {
    find(`#explorer-${slider}-value`, this.root).textContent = words;
    this.sliders[slider].setAttribute("aria-valuetext", words);
  }

  tabulate() {
    this.collections.forEach((collection, place) => {
      const figures = figuresOf(collection, this.rule, this.content.size_px);
      for (const cell of this.root.querySelectorAll(`[data-collection="${place}"] [data-figure]`)) {
        const name = cell.dataset.figure;
        cell.textContent = name in OUTCOMES ? figures[name] : shown(name, figures[name]);
      }
      collection.figures = figures;
    });
  }

  tell() {
    find("#explorer-status", this.root).textContent = this.collections
      .map(({ name, figures: { mean_dice, TP, FN, FP } }) =>
        `${name}: mean Dice ${mean_dice.toFixed(4)}, ${TP} found, ${FN} missed, ${FP} false alarms`)
      .join("; ");
  }

  // The buttons of the cases; a click shows one large.
  list() {
    for (const [place, each] of this.cases.entries()) {
      each.canvas = document.createElement("canvas");
      each.words = document.createElement("span");
      each.button = document.createElement("button");
      each.button.type = "button";
      each.button.append(each.canvas, each.words);
      each.button.addEventListener("click", () => this.choose(place));
      find(`#explorer-cases-${this.collections.indexOf(each.collection)}`).append(each.button);
      each.loaded.then(() => this.drawOne(each));
    }
    find("#explorer-case", this.root).hidden = !this.cases.length;
    this.chosen = 0;
  }

  choose(place) {
    this.chosen = place;
    this.draw();
    find("#explorer-case", this.root).scrollIntoView({ block: "nearest" });
  }

  draw() {
    this.cases.forEach((each) => this.drawOne(each));
  }

  drawOne(each) {
    const found = outcomeOf(each.collection, each.image, this.rule, this.content.size_px);
    const share = this.content.levels[this.rule.bottom] / 10000;
    const least = found.predicted > 0 ? share * STEPS : Infinity;
    const isMask = (at) => each.levels[at] >= least;
    const isChosen = each === this.cases[this.chosen];
    const isProbability = find("#explorer-probability", this.root).checked;
    drawCase(each.canvas, each.loadedPicture, each, isMask, isProbability);
    const words = `${OUTCOMES[found.kind]}, Dice ${found.dice.toFixed(3)}`;
    each.words.textContent = words;
    each.button.setAttribute("aria-label", `${words}: ${each.id}`);
    each.button.setAttribute("aria-pressed", isChosen);
    if (!isChosen) return;
    const canvas = find("#explorer-canvas", this.root);
    drawCase(canvas, each.loadedPicture, each, isMask, isProbability);
    canvas.setAttribute("aria-label", `${words}: ${each.id}`);
    const facts = {
      outcome: OUTCOMES[found.kind],
      dice: found.dice.toFixed(4),
      predicted: `${found.predicted} px`,
      truth: `${found.truth} px`,
      overlap: `${found.overlap} px`,
      subject: each.subject,
      id: each.id,
    };
    for (const [name, words] of Object.entries(facts)) {
      find(`[data-fact=${name}]`, this.root).textContent = words;
    }
  }
}

// The cases of a collection with the layers that their masks are drawn from.
function casesOf(collection) {
  let start = 0;
  return collection.cases.map((each) => {
    const size = each.rows * each.columns;
    const levels = collection.layersBytes.subarray(start, start + size);
    const truth = collection.layersBytes.subarray(start + size, start + 2 * size);
    start += 2 * size;
    const found = { ...each, collection, levels, truth, loadedPicture: null };
    found.loaded = pictureOf(each.picture).then((picture) => { found.loadedPicture = picture; });
    return found;
  });
}

async function startExplorer() {
  const root = find("#explorer");
  const content = JSON.parse(find("#explorer-data").textContent);
  const collections = await Promise.all(
    content.collections.map(async (packed) => ({
      ...(await unpackCollection(packed, content.levels.length)),
      layersBytes: await unpackBytes(packed.layers),
    })),
  );
  root.hidden = false;
  new Explorer(content, collections, root).start();
}

startExplorer().catch((error) => {
  find("#explorer-problem").hidden = false;
  throw error;
});
