import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What the Java clients share: reads the calls, has them made, prints the answers. See ../interop_test.py. */
final class Interop {
  /** One call to make. */
  static final class Call {
    String service;
    String operation;
    Map<String, String> parameters;
    boolean cdata;

    String get(String name) {
      return parameters.get(name);
    }
  }

  /** What a client's own exception says of a fault. */
  record Fault(String faultcode, String faultstring, String detail) {}

  interface Client {
    /** Makes the call; what it answers is printed as JSON. */
    Object call(Call call) throws Exception;

    /** The fault in an exception of the stack; null where it is something else. */
    Fault fault(Exception exception);
  }

  interface Importer {
    Client client(Map<String, String> wsdls) throws Exception;
  }

  private static final class Question {
    Map<String, String> wsdl;
    List<Call> calls;
  }

  static void run(Importer importer) throws Exception {
    Gson gson = new GsonBuilder().serializeNulls().create();
    Question question = gson.fromJson(new InputStreamReader(System.in, StandardCharsets.UTF_8), Question.class);
    Client client = importer.client(question.wsdl);
    List<Object> answers = new ArrayList<>();
    for (Call call : question.calls) {
      try {
        Object answer = client.call(call);
        answers.add(object("done", true, "answer", answer));
      } catch (Exception exception) {
        Fault fault = client.fault(exception);
        if (fault == null) throw exception;
        answers.add(object("done", false, "faultcode", fault.faultcode(), "faultstring", fault.faultstring(), "detail",
            fault.detail()));
      }
    }
    new PrintStream(System.out, true, StandardCharsets.UTF_8).println(gson.toJson(answers));
    System.exit(0); // some stacks leave threads behind
  }

  /** Names and values in turn. */
  static Map<String, Object> object(Object... namesAndValues) {
    Map<String, Object> object = new LinkedHashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) object.put((String) namesAndValues[i], namesAndValues[i + 1]);
    return object;
  }
}
