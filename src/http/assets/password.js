// What a password field gains where scripts run: a button that shows what was typed, and how long a new one is.
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

// How far the password is from being long enough. No word on its strength: the service judges that by lists and rules that
// do not fit here, and a page that says "good" to what is refused afterwards helps nobody.
function addLength(box, input) {
  const seen = box.querySelector('p');
  const spoken = box.querySelector('output');
  let pause = 0;
  const update = () => {
    const length = Array.from(input.value.normalize('NFC')).length;
    box.hidden = length === 0;
    box.dataset.quarters = String(Math.min(4, Math.floor(length / SHORTEST * 4)));
    const {short, enough, long} = box.dataset;
    seen.textContent = length < SHORTEST ? short.replace('{count}', String(length)) : length > LONGEST ? long : enough;
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
const lengthBox = document.getElementById('password-length');
if (lengthBox) addLength(lengthBox, document.getElementById('password'));
