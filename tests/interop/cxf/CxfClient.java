import jakarta.xml.ws.soap.SOAPFaultException;
import java.net.URL;
import java.util.List;
import java.util.Map;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.apache.cxf.frontend.ClientProxy;
import org.apache.cxf.interceptor.AbstractOutDatabindingInterceptor;
import org.apache.cxf.interceptor.StaxOutInterceptor;
import org.apache.cxf.message.Message;
import org.apache.cxf.phase.AbstractPhaseInterceptor;
import org.apache.cxf.phase.Phase;
import org.apache.cxf.staxutils.DelegatingXMLStreamWriter;

/** Calls every operation through what CXF's wsdl2java generated; ../interop_test.py says what goes in and out. */
final class CxfClient implements Interop.Client {
  private final PortCalls ports;
  private boolean cdata;

  private CxfClient(Map<String, String> wsdls) throws Exception {
    ports = new PortCalls(
        new invite.InviteAPI(new URL(wsdls.get("InviteAPI"))).getInviteAPIPort(),
        new permissions.PermissionsAPI(new URL(wsdls.get("PermissionsAPI"))).getPermissionsAPIPort(),
        new profile.ProfileService(new URL(wsdls.get("ProfileService"))).getProfileServicePort(),
        new displayname.ProfileService(new URL(wsdls.get("ProfileService-1"))).getProfileServicePort());
    for (Object port : List.of(ports.invite(), ports.permissions(), ports.profile(), ports.displayName()))
      ClientProxy.getClient(port).getOutInterceptors().add(new InCData());
  }

  @Override
  public Object call(Interop.Call call) {
    cdata = call.cdata;
    return ports.call(call);
  }

  @Override
  public Interop.Fault fault(Exception exception) {
    if (!(exception instanceof SOAPFaultException refused)) return null;
    jakarta.xml.soap.SOAPFault fault = refused.getFault();
    return new Interop.Fault(fault.getFaultCode(), fault.getFaultString(), fault.getDetail().getTextContent());
  }

  /** Writes every text as a CDATA section, where that is asked for. */
  private final class InCData extends AbstractPhaseInterceptor<Message> {
    InCData() {
      super(Phase.PRE_STREAM);
      addAfter(StaxOutInterceptor.class.getName());
    }

    @Override
    public void handleMessage(Message message) {
      if (!cdata) return;
      message.put(AbstractOutDatabindingInterceptor.DISABLE_OUTPUTSTREAM_OPTIMIZATION, true); // else JAXB writes past this
      message.setContent(
          XMLStreamWriter.class, new DelegatingXMLStreamWriter(message.getContent(XMLStreamWriter.class)) {
            @Override
            public void writeCharacters(String text) throws XMLStreamException {
              if (!text.isEmpty()) writeCData(text);
            }

            @Override
            public void writeCharacters(char[] text, int start, int length) throws XMLStreamException {
              writeCharacters(new String(text, start, length));
            }
          });
    }
  }

  public static void main(String[] arguments) throws Exception {
    Interop.run(CxfClient::new);
  }
}
