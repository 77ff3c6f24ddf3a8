// A person with an account and a browser: signs in, says more about themselves, signs out, forgets the password, and
// gets in again with the link out of the mail that the relay received.
'use strict';

const assert = require('node:assert/strict');
const {test, before, after} = require('node:test');
const {PASSWORD, VIEWS, WCAG, cli, facts, follow, heading, inspect, invite, launch, open, person, resetMail, signIn,
       signUp, submit} = require('./world.js');

const NEW_PASSWORD = 'velvet tractor umbrella noon';

let browser;
let main;
before(async () => {
  browser = await launch();
  main = (await facts()).main;
});
after(() => browser.close());

const visit = options => person(browser, main.base_url, options);
const url = path => `${main.base_url}${path}`;

// An account, made as people make one; the page is the one that follows.
async function withAccount(page, email, name = 'Nora Newcomer') {
  await open(page, (await invite('main', email)).link);
  await signUp(page, name);
}

const profileOf = async email => cli('main', 'account', 'show', '--email', email);
const sessionOf = async context =>
  (await context.cookies()).find(cookie => cookie.name.endsWith('invited_session'));

// Every page of an account on every kind of screen, in two languages.
const LANGUAGES = [
  {locale: 'en-GB', language: 'en', subject: /password/i, profile: 'Your profile', set: 'Your password is set'},
  {locale: 'de-DE', language: 'de', subject: /Passwort/i, profile: 'Ihr Profil', set: 'Ihr Passwort ist gesetzt'},
];
for (const {locale, language, subject, profile, set} of LANGUAGES) {
  test(`goes through the whole life of an account in ${locale}`, async () => {
    const email = `account.${language}@example.org`;
    const visitor = await visit({locale});
    const {page, context} = visitor;
    const look = name => inspect(page, `account-${name}-${language}`);
    await withAccount(page, email, 'Änne de Vries');
    await follow(page, () => page.click('a[href$="/profile"]'));
    assert.match(page.url(), /\/sign-in$/, 'accepting an invitation signs nobody in to our own pages');
    assert.equal(await page.getAttribute('html', 'lang'), language);
    await look('sign-in');
    await signIn(page, email, 'not the right one at all');
    assert.equal(await page.inputValue('#email'), email);
    assert.equal(await page.inputValue('#password'), '');
    await look('sign-in-error');
    await signIn(page, email);
    assert.equal(await heading(page), profile);
    const session = await sessionOf(context);
    assert.ok(session.httpOnly && session.sameSite === 'Lax' && session.path === '/' && session.expires > 0);
    await look('profile');

    await page.fill('#name', 'Änne <van> der Veen');
    await page.fill('#phone', 'call me');
    await page.fill('#website', 'javascript:alert(1)');
    await page.fill('#job_title', 'Hafenmeisterin & <Chefin> 漢');
    await submit(page, 'profile');
    assert.match(await page.title(), language === 'en' ? /^Error/ : /^Fehler/);
    await page.waitForFunction(() => document.activeElement.id === 'errors');
    assert.equal(await page.inputValue('#website'), 'javascript:alert(1)');
    await look('profile-errors');
    await page.fill('#phone', '+31 20 123 4567');
    await page.fill('#website', 'www.example.org/anne');
    await page.fill('#bio', 'Erste Zeile\nzweite Zeile');
    await submit(page, 'profile');
    assert.ok(await page.isVisible('[role=status]'));
    await look('profile-saved');
    await page.reload();
    assert.equal(await page.inputValue('#website'), 'https://www.example.org/anne');
    assert.equal(await page.inputValue('#bio'), 'Erste Zeile\nzweite Zeile');
    const told = JSON.stringify(await profileOf(email));
    for (const value of ['Änne <van> der Veen', 'Hafenmeisterin & <Chefin> 漢', '+31 20 123 4567'])
      assert.ok(told.includes(value), `${value} in ${told}`);

    await submit(page, 'sign-out');
    await look('signed-out');
    assert.equal(await sessionOf(context), undefined);
    await open(page, url('/profile'));
    assert.match(page.url(), /\/sign-in$/);

    await follow(page, () => page.click('a[href$="/forgot-password"]'));
    await look('forgot-password');
    await page.fill('#email', 'nobody');
    await page.evaluate(() => document.querySelectorAll('form').forEach(form => { form.noValidate = true; }));
    await submit(page, 'forgot-password');
    await look('forgot-password-error');
    await page.fill('#email', email);
    await submit(page, 'forgot-password');
    await look('forgot-password-sent');

    const mail = await resetMail('main', email, 2);
    assert.match(mail.subject, subject, 'the mail is in the language of the browser');
    const program = await person(browser, 'null', {locale});
    await program.page.setContent(mail.html);
    await inspect(program.page, `account-mail-${language}`, WCAG);  // a piece of the mail program's page
    await program.leave();
    await open(page, mail.link);
    await look('reset-password');
    await page.fill('#password', NEW_PASSWORD);
    assert.ok(await page.isVisible('#password-strength'));
    await look('reset-password-strength');
    const resetForm = `form[action*="/reset-password/"] button[type=submit]`;
    await page.fill('#password', 'passwordpassword');
    await page.fill('#password_again', 'passwordpassword');
    await follow(page, () => page.click(resetForm));
    assert.ok(await page.isVisible('#password-error'));
    await look('reset-password-error');
    await page.fill('#password', NEW_PASSWORD);
    await page.fill('#password_again', NEW_PASSWORD);
    await follow(page, () => page.click(resetForm));
    assert.equal(await heading(page), set);
    await look('password-set');
    await page.reload();
    assert.equal(await heading(page), set, 'nothing is sent again');
    await open(page, mail.link, 404);
    await look('reset-link-wrong');

    await open(page, url('/sign-in'));
    await signIn(page, email, PASSWORD);
    assert.ok(await page.isVisible('#password-error'), 'the old password');
    await signIn(page, email, NEW_PASSWORD);
    assert.equal(await heading(page), profile);
    await open(page, url(`/id?id=${(await profileOf(email)).account_uuid ?? 'x'}`));
    assert.ok(!(await page.textContent('body')).includes('nne'));
    await look('id');
    await visitor.leave();
  });
}

test('a new password ends the sessions in other browsers', async () => {
  const email = 'account.two@example.org';
  const laptop = await visit();
  await withAccount(laptop.page, email);
  await open(laptop.page, url('/sign-in'));
  await signIn(laptop.page, email);
  const phone = await visit({...VIEWS.phone, colorScheme: 'dark'});
  await open(phone.page, url('/forgot-password'));
  await phone.page.fill('#email', email);
  await submit(phone.page, 'forgot-password');
  await open(phone.page, (await resetMail('main', email, 2)).link);
  await phone.page.fill('#password', NEW_PASSWORD);
  await phone.page.fill('#password_again', NEW_PASSWORD);
  await follow(phone.page, () => phone.page.tap('form[action*="/reset-password/"] button[type=submit]'));
  await laptop.page.reload();
  assert.match(laptop.page.url(), /\/sign-in$/);
  await laptop.leave();
  await phone.leave();
});

test('does all of it with JavaScript switched off', async () => {
  const email = 'account.noscript@example.org';
  const visitor = await visit({javaScriptEnabled: false});
  const {page} = visitor;
  await withAccount(page, email);
  await open(page, url('/sign-in'));
  await signIn(page, email);
  await page.fill('#company', 'No Script & Sons');
  await submit(page, 'profile');
  assert.ok(await page.isVisible('[role=status]'));
  await submit(page, 'sign-out');
  await open(page, url('/forgot-password'));
  await page.fill('#email', email);
  await submit(page, 'forgot-password');
  await open(page, (await resetMail('main', email, 2)).link);
  await page.fill('#password', NEW_PASSWORD);
  await page.fill('#password_again', NEW_PASSWORD);
  await follow(page, () => page.click('form[action*="/reset-password/"] button[type=submit]'));
  await open(page, url('/sign-in'));
  await signIn(page, email, NEW_PASSWORD);
  assert.equal(await page.inputValue('#company'), 'No Script & Sons');
  await visitor.leave();
});

test('an invitee with an account who forgot the password gets a new one and accepts', async () => {
  const email = 'account.forgetful@example.org';
  const visitor = await visit();
  const {page} = visitor;
  await withAccount(page, email);
  const {link} = await invite('main', email, {number: 2, RoleUUID: main.other_role_uuid});
  await open(page, link);
  await follow(page, () => page.click('form a[href$="/forgot-password"]'));
  await page.fill('#email', email);
  await submit(page, 'forgot-password');
  await open(page, (await resetMail('main', email, 3)).link);
  await page.fill('#password', NEW_PASSWORD);
  await page.fill('#password_again', NEW_PASSWORD);
  await follow(page, () => page.click('form[action*="/reset-password/"] button[type=submit]'));
  await open(page, link);
  await page.fill('#password', NEW_PASSWORD);
  await submit(page, 'accept');
  assert.match(await heading(page), /access/);
  await visitor.leave();
});
