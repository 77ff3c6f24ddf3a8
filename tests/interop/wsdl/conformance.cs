// What .NET's own checker says of WSDLs: the rules of the WS-I Basic Profile 1.1 that they break, one line for each.
// usage: conformance.exe FILE…
using System;
using System.Web.Services;
using System.Web.Services.Description;

static class Conformance {
  static int Main(string[] files) {
    foreach (string file in files) {
      var violations = new BasicProfileViolationCollection();
      WebServicesInteroperability.CheckConformance(WsiProfiles.BasicProfile1_1, ServiceDescription.Read(file), violations);
      foreach (BasicProfileViolation violation in violations)
        Console.WriteLine("{0}: {1}: {2}", file, violation.NormativeStatement, violation.Details);
    }
    return 0;
  }
}
