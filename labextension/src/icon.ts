import { LabIcon } from '@jupyterlab/ui-components';

// A learning curve that climbs and levels off between its axes.
const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
    <path class="jp-icon3-stroke" d="M4 4v16h16"/>
    <path class="jp-icon3-stroke" d="M7.5 16.5c3 0 3-9 6.5-9 2 0 3-.5 6-.5"/>
  </g>
</svg>`;

/** The panel's icon. */
export const courseIcon = new LabIcon({ name: 'jupyter-ppo:course', svgstr });
