// Every page on every kind of screen: light, dark, phone. axe-core finds nothing, nothing is cut off, a picture is kept.
'use strict';

const assert = require('node:assert/strict');
const {test, before, after} = require('node:test');
const {PASSWORD, VIEWS, WCAG, awaitStatus, cli, facts, follow, heading, inspect, invite, launch, open, person, signUp,
       submit} = require('./world.js');

let browser;
let main;
let services;
before(async () => {
  browser = await launch();
  services = await facts();
  main = services.main;
});
after(() => browser.close());

// A test with a visitor of a service, who must leave nothing behind.
const onPage = (name, kind, body) => test(name, async () => {
  const visitor = await person(browser, services[kind].base_url);
  await body(visitor.page, services[kind], visitor);
  await visitor.leave();
});

onPage('sign-up: the form, its errors, the success, the used link', 'main', async page => {
  const {link} = await invite('main', 'pages.signup@example.org');
  await open(page, link);
  await inspect(page, 'sign-up');
  await page.fill('#password', PASSWORD);
  await inspect(page, 'sign-up-length');
  await page.evaluate(() => document.querySelectorAll('form').forEach(form => { form.noValidate = true; }));
  await page.fill('#name', 'www.evil.example');
  await page.fill('#password', 'short');
  await submit(page, 'accept');
  await inspect(page, 'sign-up-errors');
  await signUp(page);
  assert.match(await heading(page), /access/);
  await inspect(page, 'accepted');
  await open(page, link, 404);
  await inspect(page, 'link-used');
});

onPage('sign-in: the form and the wrong password', 'main', async page => {
  await open(page, (await invite('main', 'pages.signin@example.org')).link);
  await signUp(page);
  const {link} = await invite('main', 'pages.signin@example.org', {number: 2, RoleUUID: services.main.other_role_uuid});
  await open(page, link);
  await inspect(page, 'sign-in');
  await page.fill('#password', 'wrong');
  await submit(page, 'accept');
  await inspect(page, 'sign-in-error');
});

onPage('declined, and the link afterwards', 'main', async page => {
  const {link} = await invite('main', 'pages.declined@example.org');
  await open(page, link);
  await submit(page, 'decline');
  await inspect(page, 'declined');
  await open(page, link, 404);
  await inspect(page, 'link-declined');
});

onPage('revoked', 'main', async page => {
  const {link} = await invite('main', 'pages.revoked@example.org');
  const [invitation] = await cli('main', 'invitation', 'list', '--email', 'pages.revoked@example.org');
  await cli('main', 'invitation', 'revoke', invitation.invitation_uuid);
  await open(page, link, 404);
  await inspect(page, 'link-revoked');
});

onPage('superseded', 'main', async page => {
  const {link} = await invite('main', 'pages.superseded@example.org');
  await invite('main', 'pages.superseded@example.org', {number: 2});
  await awaitStatus(page, link, 404);
  await inspect(page, 'link-superseded');
});

onPage('without access', 'main', async page => {
  const email = 'pages.without.access@example.org';
  const {link} = await invite('main', email);
  await open(page, link);
  await signUp(page);
  const [access] = (await cli('main', 'access', 'list')).filter(entry => entry.email === email);
  await cli('main', 'access', 'revoke', '--environment', access.environment_uuid, '--email', email, '--role',
            access.role_uuid);
  await open(page, link, 404);
  await inspect(page, 'link-without-access');
});

onPage('disabled account', 'main', async page => {
  const email = 'pages.disabled@example.org';
  await open(page, (await invite('main', email)).link);
  await signUp(page);
  const {link} = await invite('main', email, {number: 2, RoleUUID: services.main.other_role_uuid});
  await cli('main', 'account', 'disable', '--email', email);
  await open(page, link);
  await page.fill('#password', PASSWORD);
  await submit(page, 'accept');
  await inspect(page, 'account-disabled');
});

onPage('wrong', 'main', async page => {
  const {link} = await invite('main', 'pages.wrong@example.org');
  await open(page, link.slice(0, -5), 404);
  await inspect(page, 'link-wrong');
});

onPage('expired, and the fresh link', 'short', async page => {
  const {link} = await invite('short', 'pages.expired@example.org');
  const expired = async () => (await page.goto(link)).status() === 404;
  while (!await expired()) await new Promise(resolve => setTimeout(resolve, 100));
  await inspect(page, 'link-expired');
  await submit(page, 'fresh');
  await inspect(page, 'fresh-link-sent');
});

onPage('a form without its cookie, and one from elsewhere', 'main', async (page, service, visitor) => {
  const {link} = await invite('main', 'pages.cookies@example.org');
  await open(page, link);
  await visitor.context.clearCookies();
  await submit(page, 'decline');
  await inspect(page, 'cookies-needed');
  await open(page, link);
  await page.evaluate(() => { document.querySelector('form[action$="/decline"] input[name=csrf]').value = 'x'; });
  await submit(page, 'decline');
  await inspect(page, 'form-refused');
});

onPage('too many wrong links', 'strict', async (page, service) => {
  let status = 0;
  for (let tries = 0; status !== 429; ++tries) {
    assert.ok(tries < 5);
    status = (await page.goto(`${service.base_url}/i/${'x'.repeat(72)}`)).status();
  }
  await inspect(page, 'too-many-attempts');
});

onPage('home, documentation and a page that is not there', 'main', async (page, service) => {
  await open(page, `${service.base_url}/`);
  await inspect(page, 'home');
  await open(page, `${service.base_url}/ws-doc/`);
  const text = await page.textContent('body');
  for (const word of ['InviteAPI', 'SendInvite', 'EnvironmentUUID', 'EnvironmentPassword', 'RoleUUID',
                      'InviteeEmailAddress', 'InviterEmailAddress', 'authentication_failed', 'outcome_unknown',
                      `${service.base_url}/ws/InviteAPI/1/soap1`])
    assert.ok(text.includes(word), `the documentation says ${word}`);
  await inspect(page, 'ws-doc');
  await open(page, `${service.base_url}/nothing/here`, 404);
  await inspect(page, 'not-found');
});

onPage('the captured mails of the demo', 'demo', async (page, service) => {
  const {subject} = await invite('demo', 'pages.demo@example.org');
  await open(page, service.mail_url);
  await inspect(page, 'demo-mails');
  await follow(page, () => page.click(`a:has-text(${JSON.stringify(subject)}) >> nth=0`));
  await inspect(page, 'demo-mail');
  // As `./dev run` tells a person to do it: open the mail, follow the link, sign up. The button stands in the mail's HTML,
  // in a frame of its own that may lead out of it; the link in the text part works as well.
  await follow(page, () => page.click('a[href*="/i/"]'));
  assert.match(await heading(page), /invites you/);
  await page.goBack();
  await follow(page, () => page.frameLocator('iframe').locator('a.button').click());
  await signUp(page, 'De Mo');
  assert.match(await heading(page), /access/);
});

test('the mail itself, as a mail program shows it', async () => {
  const mails = {
    'mail-sign-up': await invite('short', 'pages.mail@example.org'),
    'mail-dutch': await invite('main', 'pages.mail.nl@example.org'),
  };
  for (const [name, mail] of Object.entries(mails)) {
    const visitor = await person(browser, 'null', {javaScriptEnabled: true});
    await visitor.page.setContent(mail.html);
    await inspect(visitor.page, name, WCAG);  // a mail is a piece of the mail program's page, without landmarks
    await visitor.leave();
  }
});

test('a mail stays on a phone\'s screen, however long the words of a name are', async () => {
  const app = 'Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetzverwaltungssystem';
  const inviter = 'Maximiliane-Hohenstein-Waldburg-Zeil-Wurzach-Trauchburg';
  const invitee = 'pages.mail.long@example.org';
  const first = await invite('main', invitee);
  const visitor = await person(browser, main.base_url);
  await open(visitor.page, first.link);
  await signUp(visitor.page);
  await visitor.leave();
  const notice = await invite('main', invitee, {number: 2});
  const mails = {'mail-long-invitation': first.html, 'mail-long-notice': notice.html};
  for (const [name, html] of Object.entries(mails)) {
    const phone = await person(browser, 'null', {...VIEWS.phone});
    await phone.page.setContent(html.replaceAll(main.app_name, app).replaceAll(main.inviter_name, inviter));
    assert.ok((await phone.page.textContent('h1')).includes(app), 'the long name stands in it');
    for (const width of [375, 320]) {
      await phone.page.setViewportSize({width, height: 740});
      const [scroll, client] =
        await phone.page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(scroll <= client && client <= width, `${name} is ${scroll} wide on a screen of ${width}`);
    }
    await inspect(phone.page, name, WCAG);
    await phone.leave();
  }
});
