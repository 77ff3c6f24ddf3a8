import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;
import org.apache.cxf.interceptor.AbstractOutDatabindingInterceptor;
import org.apache.cxf.interceptor.StaxOutInterceptor;
import org.apache.cxf.message.Message;
import org.apache.cxf.phase.AbstractPhaseInterceptor;
import org.apache.cxf.phase.Phase;
import org.apache.cxf.staxutils.DelegatingXMLStreamWriter;

/** Writes every text as a CDATA section, where that is wanted. */
final class InCData extends AbstractPhaseInterceptor<Message> {
  boolean wanted;

  InCData() {
    super(Phase.PRE_STREAM);
    addAfter(StaxOutInterceptor.class.getName());
  }

  @Override
  public void handleMessage(Message message) {
    if (!wanted) return;
    // Else JAXB writes past this.
    message.put(AbstractOutDatabindingInterceptor.DISABLE_OUTPUTSTREAM_OPTIMIZATION, true);
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
