const JSDOMEnvironment = require('jest-environment-jsdom').default;

/** jsdom with Node's own fetch classes, which it leaves out. */
module.exports = class extends JSDOMEnvironment {
  async setup() {
    await super.setup();
    Object.assign(this.global, { Headers, Request, Response, TextDecoder, TextEncoder, fetch });
    this.global.IS_REACT_ACT_ENVIRONMENT = true;
  }
};
