"""What every stack is tested against: a service with one app, two environments and a few people, and the calls to make
with the answers to expect. One description for all stacks; the names are those of the WSDLs."""

import dataclasses

import captured_mail

# What a client must escape and encode; an operator may bring such a password along.
PASSWORD = "p&ss <wörd> \"é漢字\" ]]> 'ü"
CDATA_PASSWORD = "p&ss <é漢> in CDATA"
SERVICES = {"InviteAPI": "InviteAPI/1", "PermissionsAPI": "PermissionsAPI/1", "ProfileService": "ProfileService/3",
            "ProfileService-1": "ProfileService/1"}
SERVICE_OF = {"SendInvite": "InviteAPI", "GetRolesForOpenID": "PermissionsAPI", "GetUserProfile": "ProfileService",
              "GetDisplayName": "ProfileService-1"}
NAME = "Ada &<é漢"
ROLE = "R&D <é漢>"
PROFILE = {"job-title": "&<é漢 \"]]>\" 'ü", "department": "a < b && c > d", "location": "漢" * 200,
           "website": "https://ada.example.org/?a=1&b=2", "phone": "+31 10 123 45 67", "company-id": "C&A",
           "company": "Böhm & Söhne <漢>", "bio": "First line\nsecond & <last> line"}


@dataclasses.dataclass
class Call:
    operation: str
    parameters: dict
    answer: object = None  # of a good call
    fault: str = ""  # the code in the detail of a refused one
    about: str = ""  # the parameter that the refusal names
    cdata: bool = False  # the client is to put every parameter into a CDATA section

    def __str__(self):
        return f"{self.operation} {self.fault or ('in CDATA' if self.cdata else 'answered')}"

    def question(self):
        return {"service": SERVICE_OF[self.operation], "operation": self.operation, "parameters": self.parameters,
                "cdata": self.cdata}


class World:
    def __init__(self, service):
        self.service = service
        self.wsdl = {name: f"{service.base_url}/ws/{path}/soap1?wsdl" for name, path in SERVICES.items()}
        role = service.cli("role", "add", "--app", service.app_uuid, "--name", ROLE)
        self.roles = [{"UUID": role["role_uuid"], "DisplayName": ROLE},
                      {"UUID": service.role_uuid, "DisplayName": service.role_name}]
        ada = service.cli("account", "add", "--email", "ada@example.org", "--name", NAME)
        service.cli("account", "set", "--email", "ada@example.org",
                    *(word for name, value in PROFILE.items() for word in (f"--{name}", value)))
        self.openid = f"{service.base_url}/id?id={ada['account_uuid']}"
        self.stranger = f"{service.base_url}/id?id=0198f2d4-0000-7000-8000-000000000000"
        self.plain = self._environment("odd", PASSWORD)
        self.cdata = self._environment("cdata", CDATA_PASSWORD)

    def _environment(self, name, password):
        """An environment with that password, in which the inviter and Ada have access."""
        made = self.service.cli("environment", "add", "--app", self.service.app_uuid, "--name", name,
                                "--password-stdin", stdin=password + "\n")
        uuid = made["environment_uuid"]
        for email, roles in ((self.service.inviter_email, [self.service.role_uuid]),
                             ("ada@example.org", [role["UUID"] for role in self.roles])):
            for role in roles:
                self.service.cli("access", "grant", "--environment", uuid, "--email", email, "--role", role)
        return {"EnvironmentUUID": uuid, "EnvironmentPassword": password}

    def _invite(self, environment, **changes):
        return {"EnvironmentUUID": environment["EnvironmentUUID"],
                "EnvironmentPassword": environment["EnvironmentPassword"], "RoleUUID": self.service.role_uuid,
                "InviteeEmailAddress": "invitee@example.org", "InviterEmailAddress": self.service.inviter_email,
                **changes}

    def _roles(self, environment, **changes):
        return {"OpenID": self.openid, "EnvironmentID": environment["EnvironmentUUID"],
                "EnvironmentPassword": environment["EnvironmentPassword"], **changes}

    def _person(self, environment, **changes):
        return {"OpenID": self.openid, "EnvironmentUUID": environment["EnvironmentUUID"],
                "EnvironmentPassword": environment["EnvironmentPassword"], **changes}

    def _name(self, environment, **changes):
        """As above, but version 1 of the service wants the password first."""
        return {"OpenID": self.openid, "EnvironmentPassword": environment["EnvironmentPassword"],
                "EnvironmentUUID": environment["EnvironmentUUID"], **changes}

    def profile(self):
        return {"OpenId": self.openid, "DisplayName": NAME, "EmailAddress": "ada@example.org",
                "JobTitle": PROFILE["job-title"], "Department": PROFILE["department"],
                "Location": PROFILE["location"], "Bio": PROFILE["bio"], "Website": PROFILE["website"],
                "Phone": PROFILE["phone"], "Skype": None, "CompanyId": PROFILE["company-id"],
                "Company": PROFILE["company"],
                "UserProfile_Company": {"CompanyId": PROFILE["company-id"], "CompanyName": PROFILE["company"]}}

    def _good_calls(self, environment, invitee):
        cdata = environment is self.cdata
        return [Call("SendInvite", self._invite(environment, InviteeEmailAddress=invitee), cdata=cdata),
                Call("GetRolesForOpenID", self._roles(environment), answer=self.roles, cdata=cdata),
                Call("GetUserProfile", self._person(environment), answer=self.profile(), cdata=cdata),
                Call("GetDisplayName", self._name(environment), answer=NAME, cdata=cdata)]

    def calls(self, with_cdata):
        calls = self._good_calls(self.plain, "invitee@example.org")
        if with_cdata:
            calls += self._good_calls(self.cdata, "cdata@example.org")
        calls.append(Call("GetRolesForOpenID", self._roles(self.plain, OpenID=self.stranger), answer=[]))
        invitations = [({"EnvironmentPassword": PASSWORD[:-1]}, "authentication_failed", ""),
                       ({"InviteeEmailAddress": "é<漢>&@example.org"}, "invalid_email_address", "InviteeEmailAddress"),
                       ({"InviteeEmailAddress": ""}, "missing_parameter", "InviteeEmailAddress"),
                       ({"InviterEmailAddress": "stranger@example.org"}, "inviter_without_access",
                        "InviterEmailAddress"),
                       ({"RoleUUID": "4e3b7d32-51c4-4a4b-9f8e-0a4a1b2c3d4e"}, "unknown_role", "RoleUUID")]
        questions = [({"EnvironmentPassword": PASSWORD[:-1]}, "authentication_failed", ""),
                     ({"OpenID": ""}, "missing_parameter", "OpenID")]
        people = [*questions, ({"OpenID": self.stranger}, "unknown_person", "OpenID")]
        for operation, make, refused in (("SendInvite", self._invite, invitations),
                                         ("GetRolesForOpenID", self._roles, questions),
                                         ("GetUserProfile", self._person, people),
                                         ("GetDisplayName", self._name, people)):
            calls += [Call(operation, make(self.plain, **changes), fault=code, about=parameter)
                      for changes, code, parameter in refused]
        return calls

    def await_invitation(self, invitee):
        """The invitation's mail has arrived and its link opens."""
        mail = captured_mail.await_mail(self.service.mail_dir, invitee)
        assert self.service.person().open(mail.link).status == 200, mail.link
