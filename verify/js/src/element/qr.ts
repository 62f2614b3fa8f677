/** A link as a QR code in SVG (ISO/IEC 18004), drawn with DOM calls: no markup is made from text. */

import encodeQR from 'qr';

const SVG = 'http://www.w3.org/2000/svg';

/** Modules of light around the code: the standard's quiet zone. */
const QUIET = 4;

/** The code, in a box of its own. Links have 150 to 250 characters, which is version 8 to 11. */
export function qrCode(text: string, label: string): SVGSVGElement {
  // Low: a screen has no dirt on it, and larger modules are read from farther away.
  const modules = encodeQR(text, 'raw', { ecc: 'low', border: QUIET });
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', `0 0 ${modules.length} ${modules.length}`);
  svg.setAttribute('shape-rendering', 'crispEdges');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  const dark = document.createElementNS(SVG, 'path');
  dark.setAttribute('d', modules.flatMap(runs).join(''));
  dark.setAttribute('fill', '#000000');
  svg.append(dark);
  return svg;
}

/** The dark modules of a row as rectangles of height 1. */
function runs(row: readonly boolean[], y: number): string[] {
  const found: string[] = [];
  for (let x = 0; x < row.length; x++) {
    const start = x;
    while (row[x]) x++;
    if (x > start) found.push(`M${start} ${y}h${x - start}v1h${start - x}z`);
  }
  return found;
}
