/**
 * How the component looks. A page changes it through custom properties and parts:
 *
 * | property | meaning |
 * |---|---|
 * | `--unum-color`, `--unum-background` | text and ground |
 * | `--unum-accent`, `--unum-on-accent` | the buttons |
 * | `--unum-border`, `--unum-radius`, `--unum-font` | frame and type |
 * | `--unum-code-size` | width of the QR code |
 *
 * Parts: `frame`, `status`, `code`, `link`, `button`. The QR code stays dark on light in every scheme: many scanners
 * read no other. Default colours have a contrast of at least 7:1 (WCAG 2.2, 1.4.6).
 */
export const STYLE = `
:host {
  --_color: var(--unum-color, #1a1d21);
  --_background: var(--unum-background, #ffffff);
  --_accent: var(--unum-accent, #14532d);
  --_on-accent: var(--unum-on-accent, #ffffff);
  --_border: var(--unum-border, #c9ced4);
  --_radius: var(--unum-radius, 0.75rem);
  display: block;
  max-inline-size: 22rem;
  color-scheme: light dark;
}
@media (prefers-color-scheme: dark) {
  :host {
    --_color: var(--unum-color, #f1f3f5);
    --_background: var(--unum-background, #1a1d21);
    --_accent: var(--unum-accent, #86efac);
    --_on-accent: var(--unum-on-accent, #10241a);
    --_border: var(--unum-border, #4a5058);
  }
}
:host([hidden]), [hidden] { display: none !important; }
.frame {
  display: grid;
  gap: 1rem;
  justify-items: center;
  padding: 1.25rem;
  border: 1px solid var(--_border);
  border-radius: var(--_radius);
  background: var(--_background);
  color: var(--_color);
  font: var(--unum-font, 1rem/1.5 system-ui, sans-serif);
  text-align: center;
}
.status { margin: 0; min-block-size: 1.5em; }
/* Takes no room, but is there: a live region that was not displayed is not read out. */
.status:empty { position: absolute; }
.code {
  inline-size: min(100%, var(--unum-code-size, 16rem));
  border-radius: calc(var(--_radius) / 2);
  background: #ffffff;
  transition: opacity 0.2s;
}
.code svg { display: block; inline-size: 100%; block-size: auto; }
.link, .button {
  box-sizing: border-box;
  min-block-size: 2.75rem;
  padding: 0.5rem 1.25rem;
  border: 2px solid var(--_accent);
  border-radius: calc(var(--_radius) / 2);
  font: inherit;
  font-weight: 600;
  text-decoration: none;
  cursor: pointer;
}
.link, .button.primary { background: var(--_accent); color: var(--_on-accent); }
.button { background: transparent; color: var(--_color); }
:is(.link, .button, .status):focus-visible { outline: 3px solid var(--_accent); outline-offset: 3px; }
@media (prefers-reduced-motion: reduce) { .code { transition: none; } }
@media (forced-colors: active) { .code { forced-color-adjust: none; } }
`;
