/**
 * The lab's games in a browser: its own rules, drawing and key rule, compiled to WebAssembly (engine.wasm).
 * Games are files that the lab's Python makes; this knows nothing of what is in them.
 */

const INPUTS = 6; // none, left, right, jump, up, down
const WON = 1, DIED = 2; // bits of what a step returns
const FILE_MARK = 0x79616c70; // "play", the first bytes of a game file
const HEAD = ["mark", "edition", "length", "memory", "side"]; // of a game file: int32; bytes, bytes, pixels
const STACK_BYTES = 65536; // the engine's own, at the start of the memory
const PAGE_BYTES = 65536;
const ALIGNED = 16;
const CHANNELS = 4; // red, green, blue, opacity

export class Engine {
  #memory;
  #functions;
  #used = STACK_BYTES;

  /** @private Use Engine.from. */
  constructor(memory, functions) {
    this.#memory = memory;
    this.#functions = functions;
  }

  /**
   * @param {BufferSource} bytes the content of engine.wasm
   * @returns {Promise<Engine>}
   */
  static async from(bytes) {
    const memory = new WebAssembly.Memory({ initial: STACK_BYTES / PAGE_BYTES });
    const stack = new WebAssembly.Global({ value: "i32", mutable: true }, STACK_BYTES);
    const imports = { env: { __linear_memory: memory, __stack_pointer: stack } };
    let instance;
    try {
      ({ instance } = await WebAssembly.instantiate(bytes, imports));
    } catch (error) {
      throw new Error(`not the lab's engine.wasm (${error.message}): expected the file that its Python ships`);
    }
    if (!("edition" in instance.exports && "draw" in instance.exports)) {
      throw new Error("not the lab's engine.wasm (it can't play): expected the file that its Python ships");
    }
    return new Engine(memory, instance.exports);
  }

  /**
   * A game at the start of a play. Its memory is kept as long as the engine's: to play it again, begin again.
   * @param {ArrayBuffer | Uint8Array} file made by the lab's Python
   * @returns {Game}
   */
  open(file) {
    const bytes = new Uint8Array(file.buffer ?? file, file.byteOffset ?? 0, file.byteLength);
    const head = headOf(bytes);
    if (head.mark !== FILE_MARK) {
      throw new Error("not a game file: expected one that the lab's Python made");
    }
    if (head.edition !== this.#functions.edition()) {
      throw new Error(`a game file of edition ${head.edition}: expected ${this.#functions.edition()}, this engine's`);
    }
    if (head.length !== bytes.length) {
      throw new Error(`a game file of ${bytes.length} bytes: expected ${head.length}; was it cut off?`);
    }
    const at = this.#reserve(head.memory);
    new Uint8Array(this.#memory.buffer).set(bytes, at);
    return new Game(this.#memory, this.#functions, at, head.side);
  }

  /** @returns {Keys} no key is held */
  keys() {
    return new Keys(this.#functions, this.#reserve(this.#functions.keys_memory()));
  }

  /** Where that many bytes, which are zeros, begin. */
  #reserve(bytes) {
    const at = this.#used;
    this.#used = Math.ceil((at + bytes) / ALIGNED) * ALIGNED;
    const missing = this.#used - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / PAGE_BYTES));
    }
    return at;
  }
}

/** The numbers at the start of a game file; 0 where it is shorter. */
function headOf(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Object.fromEntries(
    HEAD.map((name, place) => [name, bytes.length < 4 * HEAD.length ? 0 : view.getInt32(4 * place, true)]),
  );
}

export class Game {
  #memory;
  #functions;
  #at;
  #won = false;

  /** @private Use Engine.open. */
  constructor(memory, functions, at, side) {
    this.#memory = memory;
    this.#functions = functions;
    this.#at = at;
    /** Pixels of the picture, at its native size. */
    this.width = this.height = side;
    this.begin();
  }

  /** Begins a play: the player is at the start, and nothing is counted yet. */
  begin() {
    this.#functions.begin(this.#at);
    this.#won = false;
  }

  /**
   * One input. After a death the play goes on from the start.
   * @param {number} input 0 to 5: none, left, right, jump, up, down
   * @returns {{won: boolean, died: boolean}}
   */
  step(input) {
    if (this.#won) {
      throw new Error("the game is won: expected no input after it");
    }
    if (!(Number.isInteger(input) && input >= 0 && input < INPUTS)) {
      throw new RangeError(`input is ${input}: expected a whole number from 0 to ${INPUTS - 1}`);
    }
    const ended = this.#functions.step(this.#at, input);
    this.#won = (ended & WON) !== 0;
    return { won: this.#won, died: (ended & DIED) !== 0 };
  }

  /**
   * The picture of the state now.
   * @returns {Uint8ClampedArray} RGBA, row by row; a view that the next picture of this game overwrites, and that is
   *   empty once another game is opened
   */
  picture() {
    const at = this.#functions.draw(this.#at);
    return new Uint8ClampedArray(this.#memory.buffer, at, this.width * this.height * CHANNELS);
  }

  /**
   * The state after the last input, as the lab's Python has it; at a death, where the player died or, if the rules put
   * the player back, the start.
   * @returns {Int32Array} a copy
   */
  state() {
    return new Int32Array(this.#memory.buffer, this.#functions.state(this.#at), this.#functions.fields()).slice();
  }
}

/** The rule that turns keys into inputs: a key pressed since the last step wins once, jump first; else the last pressed
 * key that is still held; else none. */
export class Keys {
  #functions;
  #at;

  /** @private Use Engine.keys. */
  constructor(functions, at) {
    this.#functions = functions;
    this.#at = at;
  }

  /**
   * A key goes down. One that is already held, because the keyboard repeats it, is not pressed again.
   * @param {number} code which key: any whole number of 32 bits
   * @param {number} input what it gives, 0 to 5
   */
  press(code, input) {
    if (!(Number.isInteger(input) && input >= 0 && input < INPUTS)) {
      throw new RangeError(`input is ${input}: expected a whole number from 0 to ${INPUTS - 1}`);
    }
    this.#functions.press(this.#at, code, input);
  }

  /** A key goes up. */
  release(code) {
    this.#functions.release(this.#at, code);
  }

  /** Forgets all keys, also those pressed since the last step, as when the window loses the focus. */
  releaseAll() {
    this.#functions.release_all(this.#at);
  }

  /** @returns {boolean} whether any key is held */
  get held() {
    return this.#functions.held(this.#at) > 0;
  }

  /** @returns {number} the input of the current step, 0 to 5 */
  take() {
    return this.#functions.take(this.#at);
  }
}
