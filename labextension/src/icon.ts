import { LabIcon } from '@jupyterlab/ui-components';

// A learning curve that climbs and levels off between its axes.
const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M4 4v16h16"/>
    <path class="jp-icon3" stroke="#616161" d="M8 16c3.5 0 2.5-8.5 6-9.5 1.5-.4 3-.5 6-.5"/>
  </g>
</svg>`;

/** The panel's icon. */
export const courseIcon = new LabIcon({ name: 'jupyter-ppo:course', svgstr });

// A box with a "run" triangle inside.
const sandboxSvg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2">
    <rect class="jp-icon3" stroke="#616161" x="4" y="4" width="16" height="16" rx="2"/>
  </g>
  <path class="jp-icon3" fill="#616161" d="M10 8.5v7l5.5-3.5z"/>
</svg>`;

/** The sandbox panel's icon. */
export const sandboxIcon = new LabIcon({ name: 'jupyter-ppo:sandbox', svgstr: sandboxSvg });

// A page with a pencil.
const authorSvg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M12 20H5V4h11v5"/>
    <path class="jp-icon3" stroke="#616161" d="M8 9h4M8 13h2"/>
    <path class="jp-icon3" stroke="#616161" d="M14 18.5 20 12.500M14 18.500 13.500 20.500 15.500 20"/>
  </g>
</svg>`;

/** The author panel's icon. */
export const authorIcon = new LabIcon({ name: 'jupyter-ppo:author', svgstr: authorSvg });

// Two learning curves over one axis.
const runsSvg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M4 4v16h16"/>
    <path class="jp-icon3" stroke="#616161" d="M8 12.500c2.500 0 2-6 5-7 1.500-.4 4-.5 7-.5"/>
    <path class="jp-icon3" stroke="#616161" stroke-dasharray="2.500 2.500" d="M8 17c4 0 4.500-5 7.500-6 1.500-.4 3-.5 4.500-.5"/>
  </g>
</svg>`;

/** The icon of the panel of runs. */
export const runsIcon = new LabIcon({ name: 'jupyter-ppo:runs', svgstr: runsSvg });

// A road with three stops that ends at a flag.
const homeSvg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M6 18h7.5a3 3 0 0 0 0-6h-3a3 3 0 0 1 0-6H14"/>
    <path class="jp-icon3" stroke="#616161" d="M17 9V3.500l4 1.700-4 1.800"/>
    <circle class="jp-icon3" stroke="#616161" cx="5" cy="18" r="1.500"/>
  </g>
</svg>`;

/** The icon of "My course". */
export const homeIcon = new LabIcon({ name: 'jupyter-ppo:home', svgstr: homeSvg });

// A bulb: an idea.
const tutorSvg = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g fill="none" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3" stroke="#616161" d="M9 16c0-2-2.500-3.500-2.500-6.500a5.500 5.500 0 0 1 11 0c0 3-2.500 4.500-2.500 6.500z"/>
    <path class="jp-icon3" stroke="#616161" d="M10 20h4"/>
  </g>
</svg>`;

/** The tutor panel's icon. */
export const tutorIcon = new LabIcon({ name: 'jupyter-ppo:tutor', svgstr: tutorSvg });
