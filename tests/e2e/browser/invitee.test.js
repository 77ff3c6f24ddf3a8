// An invitee with a browser: follows the link out of the mail that the relay received, signs up, declines, signs in.
'use strict';

const assert = require('node:assert/strict');
const {test, before, after} = require('node:test');
const {PASSWORD, VIEWS, awaitStatus, cli, facts, follow, heading, invite, launch, mailTo, open, person, rolesOf, signIn,
       signUp, submit, tabTo} = require('./world.js');

let browser;
let main;
before(async () => {
  browser = await launch();
  main = (await facts()).main;
});
after(() => browser.close());

const visit = options => person(browser, main.base_url, options);

const LANGUAGES = [
  {locale: 'nl-NL', language: 'nl', invites: /nodigt je uit|nodigt u uit/i, done: /toegang/i},
  {locale: 'de-DE', language: 'de', invites: /lädt/i, done: /Zugang|Zugriff/i},
];
for (const {locale, language, invites, done} of LANGUAGES) {
  test(`follows the link out of the mail and signs up in ${locale}`, async () => {
    const email = `${language}@example.org`;
    const mail = await invite('main', email);
    assert.match(mail.subject, /nodigt .*uit/, 'the mail is in the language of the app');
    const invitee = await visit({locale});
    const {page} = invitee;
    await open(page, mail.link);
    assert.equal(await page.getAttribute('html', 'lang'), language);
    assert.match(await heading(page), invites);
    assert.match(await page.textContent('main'), new RegExp(main.role_name));
    await signUp(page, 'Änne de Vries');
    assert.equal(await page.getAttribute('html', 'lang'), language);
    assert.match(await heading(page), done);
    assert.deepEqual(await rolesOf('main', email), [main.role_name]);
    // The button leads to the app, which learns nothing of where the person came from.
    await follow(page, () => page.click('main a.button'));
    assert.equal(page.url(), 'https://timesheets.example.org/');
    await invitee.leave(['https://timesheets.example.org/']);
  });
}

test('signs up with JavaScript switched off', async () => {
  const {link} = await invite('main', 'no.script@example.org');
  const invitee = await visit({javaScriptEnabled: false});
  await open(invitee.page, link);
  await invitee.page.fill('#name', 'No Script');
  await invitee.page.fill('#password', PASSWORD);
  await invitee.page.fill('#password_again', PASSWORD + ' or not');
  await submit(invitee.page, 'accept');
  assert.equal(await invitee.page.inputValue('#name'), 'No Script');
  assert.equal(await invitee.page.inputValue('#password'), '');
  assert.ok(await invitee.page.isVisible('#password_again-error'));
  await signUp(invitee.page, 'No Script');
  assert.deepEqual(await rolesOf('main', 'no.script@example.org'), [main.role_name]);
  await invitee.leave();
});

test('signs up with the keyboard alone, seeing where it is', async () => {
  const {link} = await invite('main', 'keyboard@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, link);
  await tabTo(page, '#name');
  await page.keyboard.type('Kay Board');
  await tabTo(page, '#password');
  await page.keyboard.type('short');
  await tabTo(page, '#password_again');
  await page.keyboard.type('short');
  await page.keyboard.press('Enter');
  // The browser itself refuses what is too short; the server would too.
  assert.ok(await page.isVisible('#password'));
  assert.deepEqual(await rolesOf('main', 'keyboard@example.org'), []);
  await page.reload();
  await tabTo(page, '#name');
  await page.keyboard.type('Kay Board');
  await tabTo(page, '#password');
  await page.keyboard.type(PASSWORD);
  await tabTo(page, '#password_again');
  await page.keyboard.type(PASSWORD);
  await follow(page, () => page.keyboard.press('Enter'));
  assert.match(await heading(page), /access/);
  assert.deepEqual(await rolesOf('main', 'keyboard@example.org'), [main.role_name]);
  await invitee.leave();
});

test('declines with the keyboard alone', async () => {
  const {link} = await invite('main', 'keyboard.decline@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, link);
  assert.deepEqual(await tabTo(page, 'form[action$="/decline"] button'),
                   ['email', 'name', 'password', 'Show', 'password_again', 'Accept invitation', 'Decline invitation']);
  await follow(page, () => page.keyboard.press('Enter'));
  assert.match(await heading(page), /declined/);
  const [invitation] = await cli('main', 'invitation', 'list', '--email', 'keyboard.decline@example.org');
  assert.equal(invitation.state, 'declined');
  await invitee.leave();
});

test('signs in to accept with the keyboard alone, after a wrong password too', async () => {
  const email = 'keyboard.again@example.org';
  const first = await invite('main', email);
  const invitee = await visit();
  const {page} = invitee;
  await open(page, first.link);
  await signUp(page, 'Kay Again');
  const second = await invite('main', email, {number: 2, RoleUUID: main.other_role_uuid});
  await open(page, second.link);
  assert.deepEqual(await tabTo(page, '#password'), ['email', 'password']);
  await page.keyboard.type('not the right one at all');
  assert.deepEqual(await tabTo(page, 'form[action$="/accept"] button[type=submit]'),
                   ['Show', 'Forgot your password?', 'Sign in and accept']);
  await follow(page, () => page.keyboard.press('Enter'));
  assert.ok(await page.isVisible('#password-error'));
  assert.deepEqual(await rolesOf('main', email), [main.role_name]);
  await tabTo(page, '#password');
  await page.keyboard.type(PASSWORD);
  await tabTo(page, 'form[action$="/accept"] button[type=submit]');
  await follow(page, () => page.keyboard.press('Space'));
  assert.match(await heading(page), /access/);
  assert.deepEqual(await rolesOf('main', email), [main.other_role_name, main.role_name].sort());
  await invitee.leave();
});

test('has a fresh link sent with the keyboard alone', async () => {
  const {short} = await facts();
  const email = 'keyboard.expired@example.org';
  const {link} = await invite('short', email);
  const invitee = await person(browser, short.base_url);
  const {page} = invitee;
  await awaitStatus(page, link, 404);
  assert.deepEqual(await tabTo(page, 'form[action$="/fresh"] button'), ['Send me a fresh link']);
  await follow(page, () => page.keyboard.press('Enter'));
  assert.match(await heading(page), /fresh link/);
  assert.notEqual((await mailTo('short', email, 2)).link, link);
  await invitee.leave();
});

test('signs up on a phone in dark mode, by touch', async () => {
  const {link} = await invite('main', 'phone@example.org');
  const invitee = await visit({...VIEWS.phone, colorScheme: 'dark'});
  const {page} = invitee;
  await open(page, link);
  await page.tap('#name');
  await page.fill('#name', 'Pho Ne');
  await page.fill('#password', PASSWORD);
  await page.fill('#password_again', PASSWORD);
  const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.ok(background.match(/\d+/g).slice(0, 3).every(part => Number(part) < 80), `dark is ${background}`);
  await follow(page, () => page.tap('form[action$="/accept"] button[type=submit]'));
  assert.deepEqual(await rolesOf('main', 'phone@example.org'), [main.role_name]);
  await invitee.leave();
});

test('sees how strong the password is, can look at it, and may paste it', async () => {
  const {link} = await invite('main', 'length@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, link);
  const told = () => page.textContent('#password-strength p');
  await page.fill('#password', 'sunshine');
  assert.ok(await page.isVisible('#password-strength'));
  assert.equal(await told(), '8 of at least 15 characters');
  // What the service may refuse is not called good: it decides, by more than the page can know.
  const tellings = {
    weak: ['sunshine princess', 'michaeljennifer1', 'computer internet', 'iloveyouforever1', 'qwertyuiop asdfghjkl zxcvbnm',
           '1q2w3e4r5t6y7u8i9o0p', 'sunshine sunshine sunshine', 'aaaaaaaaaaaaaaaa'],
    fair: ['lighthouse piano cargo', 'kT7#pv2!Qm9%xW4z', 'Sommer!2026#Winter8'],
    good: ['correct horse battery staple'],
    'very good': ['vijf woorden horen nooit samen'],
  };
  for (const [strength, passwords] of Object.entries(tellings))
    for (const password of passwords) {
      await page.fill('#password', password);
      assert.match(await told(), new RegExp(`^Strength: ${strength}\\.`), password);
    }
  await page.fill('#password', 'x'.repeat(129));
  assert.match(await told(), /at most 128/);
  await page.fill('#password', PASSWORD);
  await page.click('.reveal button');
  assert.equal(await page.getAttribute('#password', 'type'), 'text');
  await page.click('.reveal button');
  assert.equal(await page.getAttribute('#password', 'type'), 'password');
  // Refused by the server: the reason stands at the field, the focus is on it, nothing is used up.
  await signUp(page, 'Stan Dard', 'aaaaaaaaaaaaaaaa');
  assert.ok(await page.isVisible('#password-error'));
  assert.match(await page.title(), /^Error/);
  await page.waitForFunction(() => document.activeElement.id === 'errors');
  await signUp(page, 'Stan Dard', 'correct horse battery staple');
  assert.deepEqual(await rolesOf('main', 'length@example.org'), [main.role_name]);
  await invitee.leave();
});

test('hears how strong the password is when typing pauses, and not at every key', async () => {
  const {link} = await invite('main', 'listener@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, link);
  await page.evaluate(typed => {
    const output = document.querySelector('#password-strength output');
    window.heard = [];
    new MutationObserver(() => window.heard.push(output.textContent)).observe(output, {childList: true});
    const input = document.querySelector('#password');
    for (const key of typed) {
      input.value += key;
      input.dispatchEvent(new Event('input'));
    }
  }, PASSWORD);
  assert.equal(await page.textContent('#password-strength output'), '');
  await page.waitForFunction(() => window.heard.length > 0);
  assert.deepEqual(await page.evaluate(() => window.heard), [await page.textContent('#password-strength p')]);
  await invitee.leave();
});

test('can read the own address and type a password on the narrowest screens and with the largest letters', async () => {
  const email = 'a.very.long.local.part.of.an.address@and.a.long.domain.example.org';
  const {link} = await invite('main', email);
  for (const [width, size] of [[320, '100%'], [360, '200%'], [320, '200%']]) {
    const invitee = await visit({viewport: {width, height: 740}, bypassCSP: true});
    const {page} = invitee;
    await open(page, link);
    await page.addStyleTag({content: `html { font-size: ${size}; }`});
    const room = await page.evaluate(() => {
      const input = document.querySelector('#password');
      const {paddingLeft, paddingRight, fontSize} = getComputedStyle(input);
      const [field, button] = [input, document.querySelector('.reveal button')].map(e => e.getBoundingClientRect());
      return {letters: (input.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight)) / parseFloat(fontSize),
              apart: button.left >= field.right || button.top >= field.bottom};
    });
    assert.ok(room.apart && room.letters >= 4, `${JSON.stringify(room)} at ${width} px and ${size}`);
    const [scroll, client] =
      await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
    assert.ok(scroll <= client, `${scroll} wide at ${width} px and ${size}`);
    assert.ok((await page.textContent('#email-hint')).includes(email));
    await invitee.leave();
  }
});

test('declines, and the link is used up', async () => {
  const {link} = await invite('main', 'decline@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, link);
  await submit(page, 'decline');
  assert.match(await heading(page), /declined/);
  const [invitation] = await cli('main', 'invitation', 'list', '--email', 'decline@example.org');
  assert.equal(invitation.state, 'declined');
  await open(page, link, 404);
  await invitee.leave();
});

test('signs in to accept with an account that is there already', async () => {
  const first = await invite('main', 'again@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, first.link);
  await signUp(page, 'A Gain');
  const second = await invite('main', 'again@example.org', {number: 2, RoleUUID: main.other_role_uuid});
  await open(page, second.link);
  assert.equal(await page.locator('#name').count(), 0);
  await page.fill('#password', 'not the right one at all');
  await submit(page, 'accept');
  assert.ok(await page.isVisible('#password-error'));
  assert.deepEqual(await rolesOf('main', 'again@example.org'), [main.role_name]);
  await page.fill('#password', PASSWORD);
  await submit(page, 'accept');
  assert.deepEqual(await rolesOf('main', 'again@example.org'), [main.other_role_name, main.role_name].sort());
  await invitee.leave();
});

test('goes back and forth and reloads without doing anything twice', async () => {
  const {link} = await invite('main', 'back@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, link);
  await signUp(page, 'Ba Ck');
  const done = await heading(page);
  await page.reload();  // sends the form again
  assert.equal(await heading(page), done);
  await page.goBack();
  await page.goForward();
  assert.equal(await heading(page), done);
  await open(page, link, 404);
  assert.match(await heading(page), /already/);
  assert.equal((await cli('main', 'invitation', 'list', '--email', 'back@example.org')).length, 1);
  assert.deepEqual(await rolesOf('main', 'back@example.org'), [main.role_name]);

  const other = await invite('main', 'back.declined@example.org');
  await open(page, other.link);
  await submit(page, 'decline');
  await page.reload();
  assert.match(await heading(page), /was declined/);
  await invitee.leave();
});

test('accepts with a double click', async () => {
  const {link} = await invite('main', 'double@example.org');
  const invitee = await visit();
  const {page} = invitee;
  await open(page, link);
  await page.fill('#name', 'Dou Ble');
  await page.fill('#password', PASSWORD);
  await page.fill('#password_again', PASSWORD);
  await page.dblclick('form[action$="/accept"] button[type=submit]');
  // Not for a navigation: the second click may break the first one's off.
  await page.locator('h1', {hasText: /^You have access/}).waitFor();
  assert.match(page.url(), /\/accept$/);
  assert.deepEqual(await rolesOf('main', 'double@example.org'), [main.role_name]);
  await invitee.leave();
});

test('answers two invitations in two tabs, and signs in beside a third', async () => {
  const first = await invite('main', 'tabs.one@example.org');
  const second = await invite('main', 'tabs.two@example.org');
  const third = await invite('main', 'tabs.three@example.org');
  const invitee = await visit();
  const {page, context} = invitee;
  const [tab, another] = [await context.newPage(), await context.newPage()];
  await open(page, first.link);
  await open(tab, second.link);
  await open(another, third.link);
  await signUp(page, 'Tab One');
  await signUp(tab, 'Tab Two');
  assert.match(await heading(tab), /^You have access/);

  await open(page, `${main.base_url}/sign-in`);
  await signIn(page, 'tabs.one@example.org');
  await signUp(another, 'Tab Three');  // a form of before somebody signed in
  assert.equal(await another.inputValue('#name'), 'Tab Three');
  assert.equal(await another.inputValue('#password'), '');
  await another.waitForFunction(() => document.activeElement.id === 'errors');
  await signUp(another, await another.inputValue('#name'));
  assert.match(await heading(another), /^You have access/);
  await invitee.leave();
});
