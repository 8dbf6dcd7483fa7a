// What a reader of a page would stumble over, whatever stands on it.
() => {
  const found = [];
  const across = document.documentElement.scrollWidth;
  if (across > innerWidth) {
    // Of what scrolls by itself, nothing sticks out.
    const scrolls = ".sidebar-drawer, .toc-drawer, .wide, pre, .table-wrapper, .drawn";
    const wide = [...document.querySelectorAll("body *")]
      .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(scrolls))
      .map((one) => `${one.tagName}.${one.className}`);
    found.push(`it is ${across} pixels wide: ${wide.slice(0, 4)}`);
  }
  for (const one of document.images) {
    if (!one.naturalWidth) found.push(`there is no picture ${one.src}`);
  }
  for (const one of document.querySelectorAll("td, th, a, code, p, h1, h2, h3, button, label")) {
    const isHidden = getComputedStyle(one).overflowX === "hidden";
    const text = one.textContent.trim();
    if (isHidden && text && one.scrollWidth > one.clientWidth + 1) {
      found.push(`cut off is ${one.tagName} ${text.slice(0, 40)}`);
    }
  }
  return found;
}
