import jakarta.xml.ws.soap.SOAPFaultException;
import java.net.URL;
import java.util.List;
import java.util.Map;
import org.apache.cxf.frontend.ClientProxy;

/** Calls every operation through what CXF's wsdl2java generated; ../interop_test.py says what goes in and out. */
final class CxfClient implements Interop.Client {
  private final PortCalls ports;
  private final InCData inCData = new InCData();

  private CxfClient(Map<String, String> wsdls) throws Exception {
    ports = new PortCalls(
        new invite.InviteAPI(new URL(wsdls.get("InviteAPI"))).getInviteAPIPort(),
        new permissions.PermissionsAPI(new URL(wsdls.get("PermissionsAPI"))).getPermissionsAPIPort(),
        new profile.ProfileService(new URL(wsdls.get("ProfileService"))).getProfileServicePort(),
        new displayname.ProfileService(new URL(wsdls.get("ProfileService-1"))).getProfileServicePort());
    for (Object port : List.of(ports.invite(), ports.permissions(), ports.profile(), ports.displayName()))
      ClientProxy.getClient(port).getOutInterceptors().add(inCData);
  }

  @Override
  public Object call(Interop.Call call) {
    inCData.wanted = call.cdata;
    return ports.call(call);
  }

  @Override
  public Interop.Fault fault(Exception exception) {
    if (!(exception instanceof SOAPFaultException refused)) return null;
    jakarta.xml.soap.SOAPFault fault = refused.getFault();
    return new Interop.Fault(fault.getFaultCode(), fault.getFaultString(), fault.getDetail().getTextContent());
  }

  public static void main(String[] arguments) throws Exception {
    Interop.run(CxfClient::new);
  }
}
