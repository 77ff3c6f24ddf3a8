// What the browser scripts share: Chromium, one context for each person, the world outside (browser_test.py), axe-core,
// screenshots. Every request that leaves the service's own origin is refused and fails the test.
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const {chromium} = require('playwright-core');
const axe = require('axe-core');

const PASSWORD = 'seventeen quiet otters dance';
const VIEWS = {
  light: {colorScheme: 'light', viewport: {width: 1280, height: 860}},
  dark: {colorScheme: 'dark', viewport: {width: 1280, height: 860}},
  phone: {colorScheme: 'light', viewport: {width: 360, height: 740}, isMobile: true, hasTouch: true,
          deviceScaleFactor: 2},
};
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
               '--disable-component-update', '--disable-sync'];

async function ask(what, question) {
  const answer = await fetch(`${process.env.WORLD}/${what}`, {method: 'POST', body: JSON.stringify(question)});
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return JSON.parse(text);
}
const invite = (service, invitee, more = {}) => ask('invite', {service, invitee, ...more});
const mailTo = (service, recipient, number) => ask('mail', {service, recipient, number});
const resetMail = (service, recipient, number) => ask('reset_mail', {service, recipient, number});
const cli = (service, ...args) => ask('cli', {service, arguments: args});
const facts = () => ask('facts', {});

const launch = () => chromium.launch({executablePath: process.env.CHROMIUM, headless: true, args: FLAGS});

// A person with a browser of their own. `outside`: every request to another origin than `origin`, none of which gets
// there; `referers`: what was told to whom.
async function person(browser, origin, options = {}) {
  const context = await browser.newContext({locale: 'en-GB', ...options});
  const outside = [];
  const referers = [];
  await context.route('**/*', async route => {
    const request = route.request();
    const headers = await request.allHeaders();
    if (headers.referer) referers.push({to: request.url(), referer: headers.referer});
    if (new URL(request.url()).origin === origin || request.url().startsWith('data:')) return route.continue();
    outside.push(request.url());
    return route.fulfill({status: 200, contentType: 'text/html', body: '<!DOCTYPE html><title>Outside</title>'});
  });
  const page = await context.newPage();
  const complaints = [];
  page.on('console', message => {
    // A page that answers 4xx is an error to the console, not to us.
    if (message.type() === 'error' && !/status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  page.on('pageerror', error => complaints.push(String(error)));
  return {
    context, page, outside, referers,
    // Ends the person's visit and says whether anything went astray.
    async leave(expectedOutside = []) {
      await context.close();
      assert.deepEqual(outside, expectedOutside, 'requests that left the service');
      for (const {to, referer} of referers) assert.doesNotMatch(referer, /\/(i|reset-password)\//, `the token was told to ${to}`);
      assert.deepEqual(complaints, [], 'the browser complains');
    },
  };
}

const WCAG = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

// WCAG 2.2 AA and axe's best practices, colour contrast included.
async function assertAccessible(page, name, rules = [...WCAG, 'best-practice']) {
  await page.evaluate(axe.source);
  const result = await page.evaluate(runOnly => window.axe.run(document, {runOnly}), rules);
  const found = result.violations.map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.target + ' ' +
    (n.any[0]?.message ?? '')).join(' | ')}`);
  assert.deepEqual(found, [], `axe-core on ${name}`);
  assert.ok(result.passes.length > 5, `axe-core looked at ${name}`);
}

// The page as it is, on every kind of screen: accessible, nothing cut off, and kept as a picture.
async function inspect(page, name, rules = undefined) {
  const before = page.viewportSize();
  for (const [view, {colorScheme, viewport}] of Object.entries(VIEWS)) {
    // Without transitions: a colour on its way from light to dark is neither.
    await page.emulateMedia({colorScheme, reducedMotion: 'reduce'});
    await page.setViewportSize(viewport);
    await page.evaluate(() => document.activeElement?.blur());
    const [scroll, width] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(scroll <= width, `${name} (${view}) is ${scroll} wide on a screen of ${width}`);
    await assertAccessible(page, `${name} (${view})`, rules);
    await page.screenshot({path: path.join(process.env.SCREENSHOTS, `${name}-${view}.png`), fullPage: true});
  }
  await page.emulateMedia({colorScheme: null, reducedMotion: null});
  await page.setViewportSize(before);
}

// Opens an address, which must answer so.
async function open(page, url, status = 200) {
  const response = await page.goto(url);
  assert.equal(response.status(), status, url);
}

// Opens an address until it answers so: what has left is written down a moment later.
async function awaitStatus(page, url, status) {
  for (let tries = 0; tries < 100; ++tries) {
    if ((await page.goto(url)).status() === status) return;
    await page.waitForTimeout(50);
  }
  assert.fail(`${url} never answers ${status}`);
}

// Does what leads to another page, and waits until that is there.
async function follow(page, action) {
  await Promise.all([page.waitForNavigation(), action()]);
}
const submit = (page, action) => follow(page, () => page.click(`form[action$="/${action}"] button[type=submit]`));

// Presses Tab until the focus is on `wanted`. Returns where it was on the way, which must be seen each time.
async function tabTo(page, wanted) {
  const stops = [];
  while (stops.length < 12) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(selector => {
      const element = document.activeElement;
      const style = getComputedStyle(element);
      const {width, height} = element.getBoundingClientRect();
      const marked = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
      return {what: element.id || element.textContent.trim().slice(0, 40), seen: marked && width > 0 && height > 0,
              isWanted: element.matches(selector)};
    }, wanted);
    assert.ok(at.seen, `focus on ${JSON.stringify(at)} cannot be seen`);
    stops.push(at.what);
    if (at.isWanted) return stops;
  }
  return assert.fail(`Tab does not lead to ${wanted}: ${stops.join(', ')}`);
}

async function signUp(page, name = 'Nora Newcomer', password = PASSWORD) {
  await page.fill('#name', name);
  await page.fill('#password', password);
  await page.fill('#password_again', password);
  await submit(page, 'accept');
}

async function signIn(page, email, password = PASSWORD) {
  await page.fill('#email', email);
  await page.fill('#password', password);
  await submit(page, 'sign-in');
}

const heading = page => page.textContent('h1');
const rolesOf = async (service, email) =>
  (await cli(service, 'access', 'list')).filter(entry => entry.email === email).map(entry => entry.role_name).sort();

module.exports = {PASSWORD, VIEWS, WCAG, awaitStatus, cli, facts, follow, heading, inspect, invite, launch, mailTo, open,
                  person, resetMail, rolesOf, signIn, signUp, submit, tabTo};
