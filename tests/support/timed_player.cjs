// A participant who plays for a while in Chromium or Firefox, both driven by puppeteer-core:
// node timed_player.cjs BROWSER PROGRAM ADDRESS SECONDS prints how long it took until there was something to read, and, after
// the last page, something to play, and how much was loaded by then.
const puppeteer = require("puppeteer-core");

const [browser, executablePath, address, seconds] = process.argv.slice(2);
const TITLE = `document.body.classList.contains("plays") ? "game" : document.querySelector("#paper h1")?.textContent ?? ""`;
const LOADED = `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .reduce((sum, entry) => sum + entry.transferSize, 0)`; // bytes
const SIZE = { width: 1280, height: 800 };
const READABLE = 600; // ms until a key counts on a new page
const PATIENCE = 60_000; // ms
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(page, title) {
  const isThere = page.waitForFunction(`(${TITLE}) === ${JSON.stringify(title)}`, { timeout: PATIENCE });
  await isThere.catch(async () => {
    throw new Error(`expected ${JSON.stringify(title)}, found ${JSON.stringify(await page.evaluate(TITLE))}`);
  });
  await wait(READABLE);
}

async function press(page, ...keys) {
  for (const key of keys) {
    await page.keyboard.press(key);
    await wait(80);
  }
}

async function main() {
  const args = browser === "chrome" ? ["--no-sandbox"] : [];
  const started = await puppeteer.launch({ browser, executablePath, args, headless: true, defaultViewport: SIZE });
  const [page] = await started.pages();
  const opened = Date.now();
  await page.goto(address);
  await page.waitForSelector("#paper h1");
  const page_ms = Date.now() - opened;
  await page.bringToFront(); // without which Chromium gets no keys
  await until(page, "Taking part in a study");
  await press(page, "ArrowDown", "Enter");
  await until(page, "Your code");
  await press(page, "Enter");
  await until(page, "The game begins");
  const begun = Date.now();
  await page.keyboard.press("Enter");
  await page.waitForFunction(`(${TITLE}) === "game"`, { polling: 10 });
  const game_ms = Date.now() - begun;
  const kB = Math.round((await page.evaluate(LOADED)) / 1000);
  console.log(`first page after ${page_ms} ms, game ${game_ms} ms after the last page, ${kB} kB loaded`);
  const end = Date.now() + 1000 * Number(seconds);
  for (let number = 0; Date.now() < end; number++) {
    const key = number % 2 ? "ArrowLeft" : "ArrowRight";
    await page.keyboard.down(key);
    await wait(300);
    await page.keyboard.up(key);
    if (number % 3 === 0) await page.keyboard.press(" ");
  }
  await press(page, "Escape");
  await until(page, "Stop?");
  await press(page, "ArrowDown", "ArrowDown", "Enter");
  await until(page, "Thank you!");
  await press(page, "Enter");
  await until(page, "Everything was sent. You can close this page now.");
  await started.close();
}

main().then(
  () => process.exit(0),
  (error) => (console.error(error), process.exit(1)),
);
