// The colors of the style sheet, for what is drawn on a canvas. They change with the theme.

const colors = new Map<string, string>();
const probe = document.createElement('i');

/** A color variable such as `--p0`, as `rgb(r g b / alpha)`. */
export function color(name: string, alpha = 1): string {
  let channels = colors.get(name);
  if (channels === undefined) {
    channels = channelsOf(name);
    colors.set(name, channels);
  }
  return `rgb(${channels} / ${alpha})`;
}

/** After a change of the theme. */
export function forgetColors(): void {
  colors.clear();
}

/** A variable keeps its light-dark(); only a property resolves it. */
function channelsOf(name: string): string {
  if (!probe.isConnected) {
    probe.hidden = true;
    document.body.append(probe);
  }
  probe.style.color = `var(${name})`;
  const [red = 0, green = 0, blue = 0] = getComputedStyle(probe).color.match(/[\d.]+/g) ?? [];
  return `${red} ${green} ${blue}`;
}
