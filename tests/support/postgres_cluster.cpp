#include "support/postgres_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace invited::test {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// The newest installed server's programs; empty where there is none.
fs::path binaries() {
  std::pair<int, fs::path> newest;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", none)) {
    const auto folder = entry.path() / "bin";
    if (::access((folder / "initdb").c_str(), X_OK) != 0) continue;
    newest = std::max(newest, std::pair(std::atoi(entry.path().filename().c_str()), folder));
  }
  return newest.second;
}

/// As whom the server runs when we are root, which it refuses to run as.
const passwd* server_user() {
  if (::geteuid() != 0) return nullptr;
  const passwd* user = ::getpwnam("postgres");
  return user != nullptr ? user : ::getpwnam("nobody");
}

std::vector<std::string> as_server_user(std::vector<std::string> command) {
  if (const auto* user = server_user()) {
    command.insert(command.begin(), {"setpriv", "--reuid=" + std::to_string(user->pw_uid),
                                     "--regid=" + std::to_string(user->pw_gid), "--clear-groups", "--"});
  }
  return command;
}

/// Runs a program to its end, its output in a file; throws with that output when it fails.
void run(const std::vector<std::string>& command, const fs::path& output) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    ::dup2(in, STDIN_FILENO);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    ::execvp(arguments[0], arguments.data());
    ::_exit(127);
  }
  int status = 0;
  while (child > 0 && ::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) return;
  std::ostringstream said;
  said << command.front() << " … " << command.back() << " failed: " << std::ifstream(output).rdbuf();
  throw std::runtime_error(said.str());
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool bound = ::bind(probe, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     ::getsockname(probe, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(probe);
  if (!bound) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

/// Starts postgres_keeper.sh; returns what it waits on. It is nobody's child: CTest kills a test's whole family.
int start_keeper(const fs::path& folder) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const pid_t child = ::fork();
  if (child == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    ::dup2(ends[0], STDIN_FILENO);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execlp("setsid", "setsid", "--fork", "sh", POSTGRES_KEEPER, folder.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(ends[0]);
  int status = -1;
  ::waitpid(child, &status, 0);
  if (status != 0) throw std::runtime_error("cannot start postgres_keeper.sh");
  return ends[1];
}

void write_setting(const fs::path& data, const std::string& name, const std::string& value) {
  std::ofstream(data / "postgresql.conf", std::ios::app) << name << " = '" << value << "'\n";
}

std::string percent_encoded(const std::string& path) {
  std::string encoded;
  for (const char byte : path) encoded += byte == '/' ? std::string("%2F") : std::string(1, byte);
  return encoded;
}

/// `url`, which names the database "postgres", for another one.
std::string with_database(std::string url, const std::string& name) {
  const auto end = std::min(url.find('?'), url.size());
  const auto begin = url.rfind('/', end) + 1;
  return url.replace(begin, end - begin, name);
}

}  // namespace

std::optional<std::string> PostgresCluster::why_not() {
  if (binaries().empty()) return "PostgreSQL's server is not installed: no /usr/lib/postgresql/*/bin/initdb";
  if (::geteuid() == 0 && server_user() == nullptr)
    return "PostgreSQL refuses to run as root, and there is no other user";
  return std::nullopt;
}

PostgresCluster::PostgresCluster(const PostgresOptions& options) {
  if (const auto reason = why_not()) throw std::runtime_error(*reason);
  std::string pattern = (options.parent / "invited-postgres-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
  folder_ = pattern;
  if (const auto* user = server_user()) {
    if (::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) throw std::runtime_error("cannot chown " + pattern);
  }
  keeper_ = start_keeper(folder_);
  try {
    run(as_server_user({binaries() / "initdb", "--no-sync", "--no-instructions", "--auth=trust", "--username=postgres",
                        "--locale=C", "--encoding=UTF8", "--pgdata=" + data().string()}),
        folder_ / "initdb.log");
    // Nothing of it outside the folder, and cheap to have many of.
    write_setting(data(), "unix_socket_directories", folder_);
    write_setting(data(), "listen_addresses", "127.0.0.1");
    write_setting(data(), "dynamic_shared_memory_type", "mmap");
    write_setting(data(), "shared_buffers", "32MB");
    write_setting(data(), "max_connections", "200");
    for (const auto& [name, value] : options.settings) write_setting(data(), name, value);
    for (int attempt = 1; port_ == 0; ++attempt) {
      port_ = free_port();
      write_setting(data(), "port", std::to_string(port_));
      try {
        start();
      } catch (const std::runtime_error&) {
        if (attempt == 5 || log().find("Address already in use") == std::string::npos) throw;
        port_ = 0;  // somebody was faster
      }
    }
    postgres_query(admin_url(), "CREATE ROLE invited LOGIN");
  } catch (...) {
    ::close(keeper_);
    throw;
  }
}

PostgresCluster::~PostgresCluster() {
  ::close(keeper_);
  // The keeper does the rest; who starts the next one need not wait for it.
}

std::string PostgresCluster::create_database() {
  const std::string name = "test_" + std::to_string(++databases_);
  postgres_query(admin_url(), "CREATE DATABASE " + name + " OWNER invited");
  return url(name);
}

std::string PostgresCluster::url(const std::string& database) const {
  return "postgresql://invited@127.0.0.1:" + std::to_string(port_) + "/" + database;
}

std::string PostgresCluster::admin_url(const std::string& database) const {
  return "postgresql://postgres@/" + database + "?host=" + percent_encoded(folder_) + "&port=" + std::to_string(port_);
}

void PostgresCluster::control(const std::vector<std::string>& arguments) const {
  std::vector<std::string> command{binaries() / "pg_ctl",
                                   "--silent",
                                   "--wait",
                                   "--timeout=60",
                                   "--pgdata=" + data().string(),
                                   "--log=" + (folder_ / "server.log").string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  try {
    run(as_server_user(command), folder_ / "pg_ctl.log");
  } catch (const std::runtime_error& failure) {
    throw std::runtime_error(failure.what() + log());
  }
}

void PostgresCluster::start() { control({"start"}); }

void PostgresCluster::stop(Stop how) { control({how == Stop::kFast ? "--mode=fast" : "--mode=immediate", "stop"}); }

void PostgresCluster::restart(Stop how) {
  control({how == Stop::kFast ? "--mode=fast" : "--mode=immediate", "restart"});
}

void PostgresCluster::reload() { control({"reload"}); }

void PostgresCluster::kill() {
  // Each of its processes has the data folder as its working directory. First the postmaster: it must start no more.
  pid_t postmaster = 0;
  std::ifstream(data() / "postmaster.pid") >> postmaster;
  if (postmaster > 0) ::kill(postmaster, SIGKILL);
  const auto end = std::chrono::steady_clock::now() + 10s;
  for (bool alive = true; alive;) {
    // start() would take a postmaster that is dead, but not yet buried by init, for a living one.
    alive = postmaster > 0 && ::kill(postmaster, 0) == 0;
    std::error_code gone;
    for (const auto& process : fs::directory_iterator("/proc", gone)) {
      const std::string name = process.path().filename();
      pid_t pid = 0;
      if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc()) continue;
      if (fs::read_symlink(process.path() / "cwd", gone) != data()) continue;
      ::kill(pid, SIGKILL);
      alive = true;
    }
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error("PostgreSQL survives kill -9");
    if (alive) std::this_thread::sleep_for(1ms);  // no event tells of the end of a process that is not our child
  }
}

void PostgresCluster::set(const std::string& name, const std::string& value) { write_setting(data(), name, value); }

std::string PostgresCluster::log() const {
  std::ostringstream text;
  text << std::ifstream(folder_ / "server.log").rdbuf();
  return text.str();
}

PostgresDatabase::PostgresDatabase() {
  const char* file = std::getenv("INVITED_TEST_POSTGRES");
  if (file == nullptr || !std::getline(std::ifstream(file), server_)) {
    static PostgresCluster own;
    server_ = own.admin_url();
  }
  name_ = "test_" + std::to_string(::getpid()) + "_" + std::to_string(std::random_device()());
  postgres_query(server_, "CREATE DATABASE " + name_ + " OWNER invited");
  admin_url_ = with_database(server_, name_);
  url_ = "postgresql://invited@127.0.0.1:" + postgres_query(server_, "SHOW port").at(0).at(0).value() + "/" + name_;
}

PostgresDatabase::~PostgresDatabase() {
  try {
    postgres_query(server_, "DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::runtime_error&) {  // it goes with its cluster
  }
}

PostgresRows postgres_query(const std::string& url, const std::string& sql) {
  const std::unique_ptr<PGconn, decltype(&PQfinish)> connection(PQconnectdb(url.c_str()), &PQfinish);
  if (PQstatus(connection.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(connection.get()));
  const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection.get(), sql.c_str()), &PQclear);
  const auto status = PQresultStatus(result.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    throw std::runtime_error(PQerrorMessage(connection.get()) + (" in: " + sql));
  }
  PostgresRows rows(static_cast<std::size_t>(PQntuples(result.get())));
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      auto& value = rows[static_cast<std::size_t>(row)].emplace_back();
      if (PQgetisnull(result.get(), row, column) == 0) value = PQgetvalue(result.get(), row, column);
    }
  }
  return rows;
}

}  // namespace invited::test
