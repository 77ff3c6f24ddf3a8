import java.net.URL;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.xml.namespace.QName;
import javax.xml.soap.SOAPException;
import javax.xml.soap.SOAPFault;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.handler.Handler;
import javax.xml.ws.handler.MessageContext;
import javax.xml.ws.handler.soap.SOAPHandler;
import javax.xml.ws.handler.soap.SOAPMessageContext;
import javax.xml.ws.soap.SOAPFaultException;
import org.w3c.dom.Node;

/** Calls every operation through what wsimport generated; ../interop_test.py says what goes in and out. */
final class JaxwsClient implements Interop.Client {
  private final PortCalls ports;
  private boolean cdata;

  private JaxwsClient(Map<String, String> wsdls) throws Exception {
    ports = new PortCalls(
        new invite.InviteAPI(new URL(wsdls.get("InviteAPI"))).getInviteAPIPort(),
        new permissions.PermissionsAPI(new URL(wsdls.get("PermissionsAPI"))).getPermissionsAPIPort(),
        new profile.ProfileService(new URL(wsdls.get("ProfileService"))).getProfileServicePort(),
        new displayname.ProfileService(new URL(wsdls.get("ProfileService-1"))).getProfileServicePort());
    for (Object port : List.of(ports.invite(), ports.permissions(), ports.profile(), ports.displayName()))
      ((BindingProvider) port).getBinding().setHandlerChain(List.<Handler>of(new InCData()));
  }

  @Override
  public Object call(Interop.Call call) {
    cdata = call.cdata;
    return ports.call(call);
  }

  @Override
  public Interop.Fault fault(Exception exception) {
    if (!(exception instanceof SOAPFaultException refused)) return null;
    SOAPFault fault = refused.getFault();
    return new Interop.Fault(fault.getFaultCode(), fault.getFaultString(), fault.getDetail().getTextContent());
  }

  /** Puts every parameter into a CDATA section, where that is asked for. */
  private final class InCData implements SOAPHandler<SOAPMessageContext> {
    @Override
    public boolean handleMessage(SOAPMessageContext context) {
      if (!cdata || !(boolean) context.get(MessageContext.MESSAGE_OUTBOUND_PROPERTY)) return true;
      try {
        Node wrapper = context.getMessage().getSOAPBody().getFirstChild();
        for (Node child = wrapper.getFirstChild(); child != null; child = child.getNextSibling()) {
          String text = child.getTextContent();
          child.setTextContent("");
          child.appendChild(child.getOwnerDocument().createCDATASection(text));
        }
        return true;
      } catch (SOAPException exception) {
        throw new IllegalStateException(exception);
      }
    }

    @Override
    public boolean handleFault(SOAPMessageContext context) {
      return true;
    }

    @Override
    public void close(MessageContext context) {}

    @Override
    public Set<QName> getHeaders() {
      return Set.of();
    }
  }

  public static void main(String[] arguments) throws Exception {
    Interop.run(JaxwsClient::new);
  }
}
