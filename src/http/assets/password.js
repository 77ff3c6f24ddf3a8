// What a password field gains where scripts run: a button that shows what was typed, and how strong a new one is.
// The page works the same without. Nothing is sent or kept; the service decides by itself when the form is posted.
'use strict';

const SHORTEST = 15;
const LONGEST = 128;
const PAUSE_MS = 1000;

function addReveal(box) {
  const input = box.querySelector('input');
  const button = document.createElement('button');
  button.type = 'button';
  button.setAttribute('aria-controls', input.id);
  const update = (shown) => {
    input.type = shown ? 'text' : 'password';
    button.textContent = shown ? box.dataset.hide : box.dataset.show;
    button.setAttribute('aria-label', shown ? box.dataset.hideLabel : box.dataset.showLabel);
  };
  button.addEventListener('click', () => {
    update(input.type === 'password');
    input.focus();
  });
  // Hidden again before it is posted, or browsers would keep it as ordinary text.
  input.form.addEventListener('submit', () => update(false));
  update(false);
  box.append(button);
  box.classList.add('reveal-on');
}

// Neither of these rows, in any direction, is a word.
const ROWS = ['qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'qsdfghjklm', 'zxcvbnm', 'yxcvbnm', 'wxcvbn',
  'abcdefghijklmnopqrstuvwxyz'].flatMap((row) => [row, [...row].reverse().join('')]);

// Of a password that is long enough: weak, fair, good or strong. The service judges by lists and rules that do not fit
// here, so this counts only what passes there: words that stand apart. What else may be strong is called fair at most.
function strengthOf(password) {
  const runs = password.toLowerCase().match(/\p{L}{4,}/gu) || [];
  const words = new Set(runs.filter((run) => !ROWS.some((row) => row.includes(run))));
  if (words.size > 4) return 'strong';
  if (words.size === 4) return 'good';
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}]/u].filter((kind) => kind.test(password)).length;
  const isMixed = kinds > 2 && new Set(password.toLowerCase()).size > 11;
  return words.size === 3 || isMixed ? 'fair' : 'weak';
}

function addStrength(box, input) {
  const seen = box.querySelector('p');
  const spoken = box.querySelector('output');
  const names = ['short', 'weak', 'fair', 'good', 'strong'];
  let pause = 0;
  const update = () => {
    const length = Array.from(input.value.normalize('NFC')).length;
    box.hidden = length === 0;
    const name = length < SHORTEST ? 'short' : length > LONGEST ? 'long' : strengthOf(input.value);
    box.dataset.level = String(Math.max(0, names.indexOf(name)));
    seen.textContent = box.dataset[name].replace('{count}', String(length));
    // Read aloud when the person pauses, and not again while it stays the same.
    clearTimeout(pause);
    pause = setTimeout(() => {
      if (spoken.textContent !== seen.textContent) spoken.textContent = seen.textContent;
    }, PAUSE_MS);
  };
  input.addEventListener('input', update);
  update();
}

document.querySelectorAll('.reveal').forEach(addReveal);
const strengthBox = document.getElementById('password-strength');
if (strengthBox) addStrength(strengthBox, document.getElementById('password'));
