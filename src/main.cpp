// The program `invited`. What it can do is in cli/command_line; what the service is made of in serve.
#include <cstdlib>
#include <exception>
#include <iostream>

#include "cli/command_line.h"
#include "demo.h"
#include "serve.h"

int main(int argc, char** argv) {
  try {
    return invited::cli::run(argc, argv, {.serve = invited::serve, .demo = invited::demo});
  } catch (const std::exception& failure) {
    // Out of memory or threads: nobody below can do anything about it, and nothing owed is lost by ending.
    std::cerr << "invited: " << failure.what() << '\n';
    return EXIT_FAILURE;
  }
}
