// Photos dropped anywhere on the page go the way of the button that uploads them.
const field = () => document.querySelector("input[type=file]");
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  field().files = event.dataTransfer.files;
  field().dispatchEvent(new Event("change", { bubbles: true }));
});
