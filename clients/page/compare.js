// The comparison: a divider between before and after, and every pixel at 100 %. Gradio runs this once, with the
// component's root as `element`; what is inside comes and goes with its value.
let split = 50; // percent of the stage that shows the photo before
let zoomed = false;
let center = [0.5, 0.5]; // of the photo, where it is looked at while zoomed

const find = (selector) => element.querySelector(selector);

function divide() {
  const stage = find(".stage");
  if (!stage) return;
  const left = stage.getBoundingClientRect().left - find(".sizer").getBoundingClientRect().left;
  stage.style.setProperty("--edge", `${left + (split / 100) * stage.clientWidth}px`);
  find("input[type=range]").value = split;
}

function show() {
  const stage = find(".stage");
  if (!stage) return;
  const place = center;
  const sizer = find(".sizer");
  sizer.style.width = zoomed ? `${stage.dataset.width / window.devicePixelRatio}px` : "";
  stage.classList.toggle("zoomed", zoomed);
  stage.toggleAttribute("tabindex", false);
  if (zoomed) stage.tabIndex = 0; // arrow keys scroll it
  find(".zoom").setAttribute("aria-pressed", zoomed);
  if (zoomed) for (const image of element.querySelectorAll(".stage img")) image.src = image.dataset.full;
  stage.scrollLeft = place[0] * sizer.offsetWidth - stage.clientWidth / 2;
  stage.scrollTop = place[1] * sizer.offsetHeight - stage.clientHeight / 2;
  divide();
}

function drag(event) {
  const stage = find(".stage");
  if (zoomed) {
    if (event.pointerType === "mouse") stage.scrollBy(-event.movementX, -event.movementY); // fingers scroll by themselves
  } else {
    const box = stage.getBoundingClientRect();
    split = Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width));
    divide();
  }
}

element.addEventListener("input", (event) => {
  split = Number(event.target.value);
  divide();
});
element.addEventListener("click", (event) => {
  if (!event.target.closest(".zoom")) return;
  zoomed = !zoomed;
  show();
});
element.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest(".stage");
  if (!stage) return;
  const end = () => stage.removeEventListener("pointermove", drag);
  stage.setPointerCapture(event.pointerId);
  stage.addEventListener("pointermove", drag);
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, end, { once: true });
  if (!zoomed) drag(event);
});
element.addEventListener(
  "scroll",
  () => {
    const [stage, sizer] = [find(".stage"), find(".sizer")];
    center = [
      (stage.scrollLeft + stage.clientWidth / 2) / sizer.offsetWidth,
      (stage.scrollTop + stage.clientHeight / 2) / sizer.offsetHeight,
    ];
    divide();
  },
  { capture: true, passive: true },
);
window.addEventListener("resize", show);
watch("value", show);
show();
