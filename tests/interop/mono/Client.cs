// Calls every operation through the proxies that Mono's wsdl generated; ../interop_test.py says what goes in and out.
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Text;
using System.Web.Script.Serialization;
using System.Web.Services.Protocols;
using System.Xml;

public class Call {
  public string service, operation;
  public Dictionary<string, string> parameters;
  public bool cdata;

  public string this[string name] { get { return parameters[name]; } }
}

public class Question {
  public Dictionary<string, string> wsdl;
  public List<Call> calls;
}

/// Puts every parameter into a CDATA section, where that is asked for.
public class InCData : SoapExtension {
  public static bool Wanted;
  Stream wire, own;

  public override Stream ChainStream(Stream stream) {
    wire = stream;
    return own = new MemoryStream();
  }

  public override void ProcessMessage(SoapMessage message) {
    if (message.Stage == SoapMessageStage.BeforeDeserialize) {
      wire.CopyTo(own);
      own.Position = 0;
    } else if (message.Stage == SoapMessageStage.AfterSerialize) {
      own.Position = 0;
      if (!Wanted) {
        own.CopyTo(wire);
        return;
      }
      var document = new XmlDocument();
      document.Load(own);
      foreach (var text in document.SelectNodes("//text()").Cast<XmlNode>().ToList())
        text.ParentNode.ReplaceChild(document.CreateCDataSection(text.Value), text);
      document.Save(wire);
    }
  }

  public override object GetInitializer(LogicalMethodInfo method, SoapExtensionAttribute attribute) { return null; }
  public override object GetInitializer(Type service) { return null; }
  public override void Initialize(object initializer) {}
}

public static class Client {
  static Dictionary<string, object> Members(profile.UserProfile person) {
    var company = person.UserProfile_Company.Company;
    return new Dictionary<string, object> {
      {"OpenId", person.OpenId}, {"DisplayName", person.DisplayName}, {"EmailAddress", person.EmailAddress},
      {"JobTitle", person.JobTitle}, {"Department", person.Department}, {"Location", person.Location},
      {"Bio", person.Bio}, {"Website", person.Website}, {"Phone", person.Phone}, {"Skype", person.Skype},
      {"CompanyId", person.CompanyId}, {"Company", person.Company},
      {"UserProfile_Company",
       new Dictionary<string, object> {{"CompanyId", company.CompanyId}, {"CompanyName", company.CompanyName}}}};
  }

  // The proxies know the address from the WSDL that they were made of.
  static object Make(Call call) {
    switch (call.operation) {
      case "SendInvite":
        new invite.InviteAPI().SendInvite(call["EnvironmentUUID"], call["EnvironmentPassword"], call["RoleUUID"],
                                          call["InviteeEmailAddress"], call["InviterEmailAddress"]);
        return null;
      case "GetRolesForOpenID":
        return new permissions.PermissionsAPI()
            .GetRolesForOpenID(call["OpenID"], call["EnvironmentID"], call["EnvironmentPassword"])
            .Select(role => new Dictionary<string, object> {{"UUID", role.UUID}, {"DisplayName", role.DisplayName}})
            .ToArray();
      case "GetUserProfile":
        return Members(new profile.ProfileService().GetUserProfile(call["OpenID"], call["EnvironmentUUID"],
                                                                   call["EnvironmentPassword"]));
      default:
        return new displayname.ProfileService().GetDisplayName(call["OpenID"], call["EnvironmentPassword"],
                                                               call["EnvironmentUUID"]);
    }
  }

  static object Try(Call call) {
    InCData.Wanted = call.cdata;
    try {
      return new {done = true, answer = Make(call)};
    } catch (SoapException fault) {
      return new {done = false, faultcode = fault.Code.Name, faultstring = fault.Message,
                  detail = fault.Detail.OuterXml};
    }
  }

  public static void Main() {
    Console.InputEncoding = Console.OutputEncoding = new UTF8Encoding(false);
    var json = new JavaScriptSerializer();
    var question = json.Deserialize<Question>(Console.In.ReadToEnd());
    Console.WriteLine(json.Serialize(question.calls.Select(Try)));
  }
}
