// The program `invited`. What it can do is in cli/command_line; what the service is made of in serve.
#include "cli/command_line.h"
#include "demo.h"
#include "serve.h"

int main(int argc, char** argv) {
  return invited::cli::run(argc, argv, {.serve = invited::serve, .demo = invited::demo});
}
