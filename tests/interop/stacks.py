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


def need_program(name, package):
    if not shutil.which(name):
        end_to_end.skip(f"{name} is not installed (Debian package {package})")


def need_jar(name, package):
    if not (DEBIAN_JARS / name).exists():
        end_to_end.skip(f"{DEBIAN_JARS / name} is missing (Debian package {package})")


def run(command, folder, environment=None):
    """Runs a tool that must succeed; returns what it printed."""
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=150, cwd=folder,
                            env={**os.environ, **(environment or {})}, check=False)
    assert result.returncode == 0, f"{command}: exit {result.returncode}\n{result.stdout}{result.stderr}"
    return result.stdout + result.stderr


def run_for_each(wsdls, command_of, folder):
    """Runs an importer once for each WSDL, as many at a time as there are processors; `command_of` makes its command of
    the package to make and the URL."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda name: run(command_of(PACKAGES[name], wsdls[name]), folder), PACKAGES))


class Stack:
    cdata = True  # its client can send CDATA sections

    def require(self):
        """Ends the script as "not tested" where something is missing."""

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

    def require(self):
        need_program("php", "php-cli")
        if "soap" not in run(["php", "-m"], HERE).split():
            end_to_end.skip("PHP has no SOAP extension (Debian package php-soap)")

    def prepare(self, folder, wsdls):
        return ["php", HERE / "php/client.php"], {}


class Npm(Stack):
    def __init__(self, package, folder):
        self.package, self.folder = package, folder

    def version(self):
        expression = f"require('{self.package}/package.json').version + ', Node.js ' + process.version"
        return f"{self.package} " + run(["node", "-p", expression], HERE, self._environment()).strip()

    @staticmethod
    def _environment():
        return {"NODE_PATH": str(end_to_end.node_modules("interop"))}

    def require(self):
        need_program("node", "nodejs")
        if not (end_to_end.node_modules("interop") / self.package).is_dir():
            end_to_end.skip(f"the npm package {self.package} is not installed (./dev test installs it)")

    def prepare(self, folder, wsdls):
        return ["node", HERE / self.folder / "client.js"], self._environment()


class Gsoap(Stack):
    """The client is compiled with the project, of what the importer made of wsdl/; here the importer reads what is
    served and must make the same of it."""

    cdata = False  # a gSOAP client has no way to send one
    headers = {"invite": "InviteAPI", "permissions": "PermissionsAPI", "profile": "ProfileService",
               "displayname": "ProfileService_1"}

    def version(self):
        return "gSOAP " + run(["soapcpp2", "-V"], HERE).strip()

    def require(self):
        need_program("wsdl2h", "gsoap")

    def prepare(self, folder, wsdls):
        code = pathlib.Path(os.environ["INVITED_GSOAP_CODE"])
        shutil.copy(end_to_end.SOURCE_DIR / "generated/typemap.dat", folder)
        # The options are those of generated/regenerate.sh.
        run_for_each(wsdls, lambda package, url: ["wsdl2h", "-L", "-P", "-x", "-j", "-t", "typemap.dat", "-o",
                                                  f"{self.headers[package]}.h", url], folder)
        for name in self.headers.values():
            imported, compiled = folder / f"{name}.h", code / name / f"{name}.h"
            assert self.content(imported) == self.content(compiled), f"wsdl2h makes other code of the served {name}"
        return [os.environ["INVITED_GSOAP_CLIENT"]], {}

    @staticmethod
    def content(header):
        """Without the lines that say when and from where."""
        return [line for line in header.read_text().splitlines()
                if "/ws/" not in line and "Generated by wsdl2h" not in line and not line.endswith(" GMT")]


class Java(Stack):
    """What the Java stacks share: an importer that writes sources, the compiler, one class to run."""

    main_class = None
    folder = None  # whose pom.xml names the jars
    sources = ()

    def classpath(self):
        raise NotImplementedError

    def importer(self, package, url, output):
        raise NotImplementedError

    def version(self):
        return f"{self.name()}, Java {run(['java', '-version'], HERE).split(chr(34))[1]}"

    def require(self):
        need_program("javac", "openjdk-17-jdk-headless")
        need_jar("gson.jar", "libgoogle-gson-java")

    def prepare(self, folder, wsdls):
        classpath = f"{self.classpath()}:{DEBIAN_JARS / 'gson.jar'}"
        (folder / "sources").mkdir()
        if self.importer:
            run_for_each(wsdls, lambda package, url: self.importer(package, url, folder / "sources"), folder)
        sources = [HERE / name for name in ("java/Interop.java", *self.sources)]
        sources += (folder / "sources").rglob("*.java")
        run(["javac", *(f"-J{option}" for option in JAVA_OPTIONS), "-encoding", "UTF-8", "-nowarn", "-proc:none",
             "-cp", classpath, "-d", "classes", *sources], folder)
        return ["java", *JAVA_OPTIONS, "-cp", f"{folder}/classes:{classpath}", self.main_class], {}


class Jaxws(Java):
    main_class, sources = "JaxwsClient", ("jaxws/JaxwsClient.java", "java/PortCalls.java")

    def name(self):
        return "JAX-WS RI " + next(DEBIAN_JARS.glob("jaxws-rt-[0-9]*.jar")).stem.removeprefix("jaxws-rt-")

    def require(self):
        super().require()
        need_jar("jaxws-rt.jar", "libjaxws-java")
        need_program("wsimport", "jaxws")

    def classpath(self):
        return DEBIAN_JARS / "jaxws-rt.jar"

    def importer(self, package, url, output):
        return ["wsimport", "-quiet", "-Xnocompile", "-d", output, "-p", package, url]


class Maven(Java):
    """Jars that ./dev test has fetched (pom.xml in the stack's folder)."""

    def require(self):
        super().require()
        if not any(self.jars().glob("*.jar")):
            end_to_end.skip(f"the Maven packages of tests/interop/{self.folder} are not there: no jar in {self.jars()} "
                            "(./dev test fetches them where Maven reaches its registry)")

    def jars(self):
        return end_to_end.SOURCE_DIR / "build/interop-maven" / self.folder

    def classpath(self):
        return f"{self.jars()}/*"

    def version_of(self, jar):
        return next(self.jars().glob(f"{jar}-[0-9]*.jar")).stem.removeprefix(f"{jar}-")


class Cxf(Maven):
    main_class, folder, sources = "CxfClient", "cxf", (
        "cxf/CxfClient.java", "cxf/InCData.java", "java/PortCalls.java")

    def name(self):
        return "Apache CXF " + self.version_of("cxf-core")

    def importer(self, package, url, output):
        return ["java", *JAVA_OPTIONS, "-cp", self.classpath(), "org.apache.cxf.tools.wsdlto.WSDLToJava", "-quiet",
                "-d", output, "-p", package, url]


class CxfDynamic(Maven):
    main_class, folder, sources = "CxfDynamicClient", "cxf", ("cxf/CxfDynamicClient.java", "cxf/InCData.java")
    importer = None  # it imports when it runs

    def name(self):
        return f"Apache CXF {self.version_of('cxf-core')} (dynamic client)"


class Axis2(Maven):
    """Two generations: 1.8 with HttpComponents, 1.6 with the HTTP client of the years before."""

    main_class, sources = "Axis2Client", ("axis2/Axis2Client.java",)

    def __init__(self, folder):
        self.folder = folder

    def name(self):
        return f"Apache Axis2 {self.version_of('axis2-kernel')}"

    def importer(self, package, url, output):
        return ["java", *JAVA_OPTIONS, "-cp", self.classpath(), "org.apache.axis2.wsdl.WSDL2Java", "-d", "adb", "-s",
                "-S", ".", "-p", package, "-o", output / package, "-uri", url]


class Mono(Stack):
    def version(self):
        return "Mono " + run(["mono", "--version"], HERE).split("version ")[1].split()[0]

    def require(self):
        for name, package in (("mono", "mono-runtime"), ("mcs", "mono-mcs"), ("wsdl", "mono-devel")):
            need_program(name, package)

    def prepare(self, folder, wsdls):
        run_for_each(wsdls, lambda package, url: ["wsdl", "-nologo", f"-out:{package}.cs", f"-namespace:{package}",
                                                  url], folder)
        shutil.copy(HERE / "mono/client.exe.config", folder)
        run(["mcs", "-nologo", "-r:System.Web.Services", "-r:System.Web.Extensions", "-out:client.exe",
             HERE / "mono/Client.cs", *(f"{package}.cs" for package in PACKAGES.values())], folder)
        return ["mono", folder / "client.exe"], {}


STACKS = {"zeep": Zeep(), "php": Php(), "node-soap": Npm("soap", "node-soap"),
          "strong-soap": Npm("strong-soap", "strong-soap"), "gsoap": Gsoap(), "jaxws": Jaxws(), "cxf": Cxf(),
          "cxf-dynamic": CxfDynamic(), "axis2": Axis2("axis2"), "axis2-1.6": Axis2("axis2-1.6"), "mono": Mono()}


def find(name):
    STACKS[name].require()
    return STACKS[name]
