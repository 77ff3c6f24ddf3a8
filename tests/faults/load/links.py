"""Follows links as people do: the page is shown as often as it is asked for, accepting works once."""

from checker import LINK, Accepted, Finding, token_subject

PASSWORD = "seventeen quiet otters dance"


def follow(service, mails):
    """Accepts each of `mails`, which are for different people or environments. Returns what was accepted and what was
    found wrong."""
    accepted, findings = [], []
    for mail in mails:
        problem = _follow(service, mail)
        if problem:
            findings.append(Finding(LINK, f"{mail.envelope_to}: {problem}"))
        else:
            accepted.append(Accepted(token_subject(mail.token)[0], mail.envelope_to[0].lower()))
    return accepted, findings


def _follow(service, mail):
    person = service.person()
    for _ in range(2):  # a scanner, then the person
        page = person.open(mail.link)
        form = page.form("/accept")
        if page.status != 200 or form is None:
            return f"the link does not show its form: {page.status} {page.text}"
    values = {"password": PASSWORD}
    if "name" in form.fields:
        values.update({"name": "Ada Accepting", "password_again": PASSWORD})
    done = person.submit(page, "/accept", values)
    if done.status != 200:
        return f"accepting does not work: {done.status} {done.text}"
    # What a double click sends is answered as the first time; nobody else can use the link.
    again = person.submit(page, "/accept", values)
    if again.text != done.text:
        return f"the same form is answered otherwise: {again.status} {again.text}"
    other = {name: PASSWORD[::-1] if name.startswith("password") else value for name, value in values.items()}
    if person.submit(page, "/accept", other).status == 200:
        return "accepting works a second time"
    after = person.open(mail.link)
    if after.status == 200 or after.form("/accept") is not None:
        return f"the link is good after it was used: {after.status}"
    return None
