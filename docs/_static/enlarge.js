// Pictures lead to themselves, where they have their own size.
document.addEventListener("DOMContentLoaded", () => {
  for (const image of document.querySelectorAll("article img")) {
    if (image.closest("a")) continue;
    const link = document.createElement("a");
    link.href = image.src;
    link.className = "enlarge";
    image.replaceWith(link);
    link.append(image);
  }
});
