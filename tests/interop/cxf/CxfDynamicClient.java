import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.cxf.binding.soap.SoapFault;
import org.apache.cxf.endpoint.Client;
import org.apache.cxf.jaxws.endpoint.dynamic.JaxWsDynamicClientFactory;

/** Calls every operation through CXF's dynamic client; ../interop_test.py says what goes in and out. */
final class CxfDynamicClient implements Interop.Client {
  private static final Map<String, String[]> PARAMETERS = Map.of(
      "SendInvite", new String[] {"EnvironmentUUID", "EnvironmentPassword", "RoleUUID", "InviteeEmailAddress",
          "InviterEmailAddress"},
      "GetRolesForOpenID", new String[] {"OpenID", "EnvironmentID", "EnvironmentPassword"},
      "GetUserProfile", new String[] {"OpenID", "EnvironmentUUID", "EnvironmentPassword"},
      "GetDisplayName", new String[] {"OpenID", "EnvironmentPassword", "EnvironmentUUID"});

  private final Map<String, Client> clients = new HashMap<>();
  private final InCData inCData = new InCData();

  private CxfDynamicClient(Map<String, String> wsdls) {
    // Each client makes its classes com.example.*, of the services' namespace, and leaves their loader behind: the next
    // one would find them first.
    ClassLoader loader = Thread.currentThread().getContextClassLoader();
    wsdls.forEach((service, wsdl) -> {
      Client client = JaxWsDynamicClientFactory.newInstance().createClient(wsdl);
      client.getOutInterceptors().add(inCData);
      clients.put(service, client);
      Thread.currentThread().setContextClassLoader(loader);
    });
  }

  @Override
  public Object call(Interop.Call call) throws Exception {
    inCData.wanted = call.cdata;
    Object[] parameters = List.of(PARAMETERS.get(call.operation)).stream().map(call::get).toArray();
    Object[] results = clients.get(call.service).invoke(call.operation, parameters);
    return switch (call.operation) {
      case "SendInvite" -> results.length == 0 ? null : results;
      case "GetRolesForOpenID" -> {
        List<Object> roles = new ArrayList<>();
        for (Object role : (List<?>) results[0])
          roles.add(Interop.object("UUID", get(role, "UUID"), "DisplayName", get(role, "DisplayName")));
        yield roles;
      }
      case "GetUserProfile" -> members(results[0]);
      default -> results[0];
    };
  }

  private static Object members(Object person) throws Exception {
    Map<String, Object> members = Interop.object();
    for (String name : List.of("OpenId", "DisplayName", "EmailAddress", "JobTitle", "Department", "Location", "Bio",
             "Website", "Phone", "Skype", "CompanyId", "Company"))
      members.put(name, get(person, name));
    Object company = get(get(person, "UserProfileCompany"), "Company");
    members.put("UserProfile_Company", Interop.object("CompanyId", get(company, "CompanyId"), "CompanyName",
        get(company, "CompanyName")));
    return members;
  }

  /** A member of an object whose class was made while this ran. */
  private static Object get(Object bean, String name) throws Exception {
    return bean.getClass().getMethod("get" + name).invoke(bean);
  }

  @Override
  public Interop.Fault fault(Exception exception) {
    if (!(exception instanceof SoapFault fault)) return null;
    return new Interop.Fault(
        fault.getFaultCode().getLocalPart(), fault.getMessage(), fault.getDetail().getTextContent());
  }

  public static void main(String[] arguments) throws Exception {
    Interop.run(CxfDynamicClient::new);
  }
}
