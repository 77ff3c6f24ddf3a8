"""What the load caller plays in: two apps, three environments with passwords of their own, two roles for each app, two
inviters, one of whom has access to the second app only. Whatever crosses from one to another can be seen."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class App:
    uuid: str
    name: str
    roles: dict  # UUID → name


@dataclasses.dataclass(frozen=True)
class Environment:
    uuid: str
    password: str
    app: App


@dataclasses.dataclass(frozen=True)
class Inviter:
    email: str
    name: str
    account_uuid: str
    environments: tuple  # UUIDs, where this person has access


class World:
    def __init__(self, service):
        """Made beside what Service.serve() made: that is the first app, environment and inviter."""
        cli = service.cli
        self.apps = [
            App(service.app_uuid, service.app_name, {service.role_uuid: service.role_name,
                                                     service.other_role_uuid: service.other_role_name}),
            self._add_app(cli, "Harbour planner", ("Pilot", "Lock keeper"))]
        timesheets, harbour = self.apps
        self.environments = [Environment(service.environment_uuid, service.environment_password, timesheets),
                             self._add_environment(cli, timesheets, "acceptance"),
                             self._add_environment(cli, harbour, "production")]
        everywhere = tuple(environment.uuid for environment in self.environments)
        account = next(a for a in cli("account", "list") if a["email"] == service.inviter_email)
        self.inviters = [Inviter(service.inviter_email, service.inviter_name, account["account_uuid"], everywhere)]
        email, name = "otto.other@example.org", "Otto Other"
        account = cli("account", "add", "--email", email, "--name", name)
        self.inviters.append(Inviter(email, name, account["account_uuid"], everywhere[2:]))
        self.access = {(self.inviters[0].account_uuid, service.environment_uuid, service.other_role_uuid)}
        for environment, inviter in ((1, 0), (2, 0), (2, 1)):
            self._grant(cli, self.environments[environment], self.inviters[inviter])

    @staticmethod
    def _add_app(cli, name, roles):
        app = cli("app", "add", "--name", name, "--url", "https://harbour.example.org/", "--language", "en")["app_uuid"]
        return App(app, name, {cli("role", "add", "--app", app, "--name", role)["role_uuid"]: role for role in roles})

    @staticmethod
    def _add_environment(cli, app, name):
        made = cli("environment", "add", "--app", app.uuid, "--name", name)
        return Environment(made["environment_uuid"], made["environment_password"], app)

    def _grant(self, cli, environment, inviter):
        role = next(iter(environment.app.roles))
        cli("access", "grant", "--environment", environment.uuid, "--email", inviter.email, "--role", role)
        self.access.add((inviter.account_uuid, environment.uuid, role))

    def find_environment(self, uuid):
        return next((environment for environment in self.environments if environment.uuid == uuid), None)

    def inviter(self, email):
        return next(inviter for inviter in self.inviters if inviter.email == email)

    def inviters_of(self, environment):
        return [inviter for inviter in self.inviters if environment.uuid in inviter.environments]

    def secrets(self):
        return {f"password of environment {number}": environment.password
                for number, environment in enumerate(self.environments)}
