// main() for fuzz targets without libFuzzer: runs every file of the folders given, whole, cut short and with bytes
// changed.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

std::size_t runs = 0;

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  ++runs;
}

void run_file(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  const std::string input = std::move(text).str();
  run(input);
  for (std::size_t i = 0; i < input.size(); ++i) {
    run(input.substr(0, i));
    for (const char byte : {'\0', ' ', '<', '&', '\x80', '\xFF'}) {
      std::string changed = input;
      changed[i] = byte;
      run(changed);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
      if (entry.is_regular_file()) run_file(entry.path());
  std::printf("%zu inputs\n", runs);
  return runs == 0 ? 1 : 0;
}
