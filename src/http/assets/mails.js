// The list of captured mails keeps itself up to date where scripts run: looks every two seconds, and changes the page
// only where there is something new. Without it there is a link that looks again.
'use strict';

const list = document.getElementById('mails');

async function look() {
  if (document.visibilityState === 'visible') {
    try {
      const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const newer = page.getElementById('mails');
      if (newer && newer.innerHTML !== list.innerHTML && !list.contains(document.activeElement)) {
        list.replaceChildren(...newer.childNodes);
      }
    } catch {
      // The service is being restarted: the next look finds it.
    }
  }
  setTimeout(look, 2000);
}

setTimeout(look, 2000);
