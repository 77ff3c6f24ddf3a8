// What a password field gains where scripts run: a button that shows what was typed, and a rough measure of its strength.
// The page works the same without. Nothing is sent or kept; the service decides by itself when the form is posted.
'use strict';

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

// Bits, very roughly: each character is worth less where it repeats, continues a run, or belongs to a word that stands
// beside the form.
function estimateBits(password, words) {
  let rest = password.toLowerCase();
  for (const word of words) rest = rest.split(word).join('\u0000');
  const characters = Array.from(rest);
  const seen = new Map();
  let bits = 0;
  characters.forEach((character, index) => {
    const times = seen.get(character) || 0;
    seen.set(character, times + 1);
    if (character === '\u0000') return;
    const step = index > 0 ? character.codePointAt(0) - characters[index - 1].codePointAt(0) : 9;
    const again = index > 3 && rest.indexOf(characters.slice(index - 2, index + 1).join('')) < index - 2;
    if (Math.abs(step) <= 1 || again) bits += 0.4;
    else bits += times === 0 ? 3.2 : times === 1 ? 2.2 : 1.2;
  });
  return bits;
}

function addStrength(box, input) {
  const output = box.querySelector('output');
  const words = box.dataset.words
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word.length > 2)
    .concat(['password', 'passwort', 'wachtwoord', 'welcome', 'qwerty', 'azerty', 'letmein', 'invited']);
  const update = () => {
    const length = Array.from(input.value.normalize('NFC')).length;
    box.hidden = length === 0;
    if (length === 0) return;
    const bits = estimateBits(input.value, words);
    const level = length < 15 ? 0 : bits < 22 ? 1 : bits < 32 ? 2 : bits < 44 ? 3 : 4;
    box.dataset.level = String(level);
    const names = ['length', 'weak', 'fair', 'good', 'strong'];
    const text = box.dataset[names[level]].replace('{count}', String(length));
    if (output.textContent !== text) output.textContent = text;
  };
  input.addEventListener('input', update);
  update();
}

document.querySelectorAll('.reveal').forEach(addReveal);
const strength = document.getElementById('strength');
if (strength) addStrength(strength, document.getElementById('password'));
