"""The stacks: for each, what it needs, how its client is made from the served WSDLs, how it is run. What is missing here
ends the script as "not tested", with the reason."""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys

import end_to_end

HERE = pathlib.Path(__file__).resolve().parent
DEBIAN_JARS = pathlib.Path("/usr/share/java")
# Each service's code goes into a package of its own: two of them have one name.
PACKAGES = {"InviteAPI": "invite", "PermissionsAPI": "permissions", "ProfileService": "profile",
            "ProfileService-1": "displayname"}
# A JVM that lives for seconds.
JAVA_OPTIONS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]


def program(name, package):
    return shutil.which(name) or end_to_end.skip(f"{name} is not installed (Debian package {package})")


def run(command, folder, environment=None):
    """Runs a tool that must succeed; returns what it printed."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=150, cwd=folder,
                            env={**os.environ, **(environment or {})}, check=False)
    assert result.returncode == 0, f"{command}: exit {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout + result.stderr


def run_for_each(wsdls, command_of, folder):
    """Runs an importer once for each WSDL, as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda name: run(command_of(PACKAGES[name], wsdls[name]), folder), PACKAGES))


class Stack:
    cdata = True

    def version(self):
        raise NotImplementedError

    def prepare(self, folder, wsdls):
        """Makes the client in `folder`; returns the command that runs it, and environment variables."""
        raise NotImplementedError


class Zeep(Stack):
    def version(self):
        return "zeep " + run([sys.executable, "-c", "import zeep; print(zeep.__version__)"], HERE).strip()

    def prepare(self, folder, wsdls):
        return [sys.executable, "-B", HERE / "zeep/client.py"], {}


class Php(Stack):
    def version(self):
        return "PHP SoapClient " + run(["php", "-r", "echo PHP_VERSION;"], HERE)

    def prepare(self, folder, wsdls):
        php = program("php", "php-cli")
        if "soap" not in run([php, "-m"], folder).split():
            end_to_end.skip("PHP has no SOAP extension (Debian package php-soap)")
        return [php, HERE / "php/client.php"], {}


class Npm(Stack):
    def __init__(self, package, folder):
        self.package, self.folder = package, folder

    def version(self):
        expression = f"require('{self.package}/package.json').version + ', Node.js ' + process.version"
        return f"{self.package} " + run(["node", "-p", expression], HERE, self._environment()).strip()

    @staticmethod
    def _environment():
        return {"NODE_PATH": str(end_to_end.node_modules("interop"))}

    def prepare(self, folder, wsdls):
        return [program("node", "nodejs"), HERE / self.folder / "client.js"], self._environment()


class Gsoap(Stack):
    """Its proxies are generated when the project is built; so are those of its importer here, from what is served."""

    cdata = False  # a gSOAP client has no way to send one

    def version(self):
        return "gSOAP " + (end_to_end.SOURCE_DIR / "generated/GSOAP_VERSION").read_text().strip()

    def prepare(self, folder, wsdls):
        client = os.environ.get("INVITED_GSOAP_CLIENT", "")
        if not os.access(client, os.X_OK):
            end_to_end.skip("INVITED_GSOAP_CLIENT does not name the generated C++ client")
        importer = program("wsdl2h", "gsoap")
        run_for_each(wsdls, lambda package, url: [importer, "-o", f"{package}.h", url], folder)
        return [client], {}


class Java(Stack):
    """What the Java stacks share: an importer that writes sources, the compiler, one class to run."""

    shared = ("Interop",)
    main_class = None
    folder = None

    def classpath(self):
        raise NotImplementedError

    def importer(self, package, url, output):
        raise NotImplementedError

    def version(self):
        return f"{self.name()}, Java {run(['java', '-version'], HERE).split(chr(34))[1]}"

    def prepare(self, folder, wsdls):
        compiler = program("javac", "openjdk-17-jdk-headless")
        gson = DEBIAN_JARS / "gson.jar"
        if not gson.exists():
            end_to_end.skip(f"{gson} is missing (Debian package libgoogle-gson-java)")
        classpath = f"{self.classpath()}:{gson}"
        (folder / "sources").mkdir()
        if self.importer:
            run_for_each(wsdls, lambda package, url: self.importer(package, url, folder / "sources"), folder)
        sources = [*(HERE / "java" / f"{name}.java" for name in self.shared),
                   HERE / self.folder / f"{self.main_class}.java", *(folder / "sources").rglob("*.java")]
        run([compiler, *(f"-J{option}" for option in JAVA_OPTIONS), "-encoding", "UTF-8", "-nowarn", "-proc:none",
             "-cp", classpath, "-d", "classes", *sources], folder)
        return ["java", *JAVA_OPTIONS, "-cp", f"{folder}/classes:{classpath}", self.main_class], {}


class Jaxws(Java):
    shared = ("Interop", "PortCalls")
    main_class, folder = "JaxwsClient", "jaxws"

    def name(self):
        return "JAX-WS RI " + run(["wsimport", "-version"], HERE).split()[-1].strip('"')

    def classpath(self):
        jar = DEBIAN_JARS / "jaxws-rt.jar"
        return jar if jar.exists() else end_to_end.skip(f"{jar} is missing (Debian package libjaxws-java)")

    def importer(self, package, url, output):
        return [program("wsimport", "jaxws"), "-quiet", "-Xnocompile", "-d", output, "-p", package, url]


class Maven(Java):
    """Jars that ./dev test has fetched (pom.xml in the stack's folder)."""

    def jars(self):
        folder = end_to_end.SOURCE_DIR / "build/interop-maven" / self.folder
        if not any(folder.glob("*.jar")):
            end_to_end.skip(f"the Maven packages of tests/interop/{self.folder} are not there: nothing in {folder} "
                            "(./dev test fetches them where Maven reaches its registry)")
        return folder

    def classpath(self):
        return f"{self.jars()}/*"

    def version_of(self, jar):
        return next(self.jars().glob(f"{jar}-[0-9]*.jar")).stem.removeprefix(f"{jar}-")


class Cxf(Maven):
    shared = ("Interop", "PortCalls")
    main_class, folder = "CxfClient", "cxf"

    def name(self):
        return "Apache CXF " + self.version_of("cxf-core")

    def importer(self, package, url, output):
        return ["java", *JAVA_OPTIONS, "-cp", self.classpath(), "org.apache.cxf.tools.wsdlto.WSDLToJava", "-quiet",
                "-d", output, "-p", package, url]


class CxfDynamic(Maven):
    main_class, folder = "CxfDynamicClient", "cxf"
    importer = None  # it imports when it runs
    cdata = False  # the other CXF client sends them

    def name(self):
        return f"Apache CXF {self.version_of('cxf-core')} (dynamic client)"


class Axis2(Maven):
    main_class, folder = "Axis2Client", "axis2"

    def name(self):
        return f"Apache Axis2 {self.version_of('axis2-kernel')}"

    def importer(self, package, url, output):
        return ["java", *JAVA_OPTIONS, "-cp", self.classpath(), "org.apache.axis2.wsdl.WSDL2Java", "-d", "adb", "-s",
                "-S", ".", "-p", package, "-o", output / package, "-uri", url]


class Mono(Stack):
    def version(self):
        return "Mono " + run(["mono", "--version"], HERE).split("version ")[1].split()[0]

    def prepare(self, folder, wsdls):
        compiler, importer = program("mcs", "mono-mcs"), program("wsdl", "mono-devel")
        run_for_each(wsdls, lambda package, url: [importer, "-nologo", f"-out:{package}.cs", f"-namespace:{package}",
                                                  url], folder)
        shutil.copy(HERE / "mono/client.exe.config", folder)
        run([compiler, "-nologo", "-r:System.Web.Services", "-r:System.Web.Extensions", "-out:client.exe",
             HERE / "mono/Client.cs", *(f"{package}.cs" for package in PACKAGES.values())], folder)
        return [program("mono", "mono-runtime"), folder / "client.exe"], {}


STACKS = {"zeep": Zeep(), "php": Php(), "node-soap": Npm("soap", "node-soap"),
          "strong-soap": Npm("strong-soap", "strong-soap"), "gsoap": Gsoap(), "jaxws": Jaxws(), "cxf": Cxf(),
          "cxf-dynamic": CxfDynamic(), "axis2": Axis2(), "mono": Mono()}


def find(name):
    return STACKS[name]
