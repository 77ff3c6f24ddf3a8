import invite.InviteAPIStub;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import javax.xml.stream.XMLStreamConstants;
import org.apache.axiom.om.OMAbstractFactory;
import org.apache.axiom.om.OMElement;
import org.apache.axiom.om.OMFactory;
import org.apache.axiom.om.OMNamespace;
import org.apache.axis2.AxisFault;
import org.apache.axis2.client.Options;
import org.apache.axis2.client.ServiceClient;
import org.apache.axis2.client.Stub;
import permissions.PermissionsAPIStub;
import profile.ProfileServiceStub;

/** Calls every operation through the ADB stubs of Axis2's wsdl2java; ../interop_test.py says what goes in and out. */
final class Axis2Client implements Interop.Client {
  private final InviteAPIStub invite;
  private final PermissionsAPIStub permissions;
  private final ProfileServiceStub profile;
  private final displayname.ProfileServiceStub displayName;

  /** The stubs know the address from the WSDL that they were made of. */
  private Axis2Client(Map<String, String> wsdls) throws AxisFault {
    invite = new InviteAPIStub();
    permissions = new PermissionsAPIStub();
    profile = new ProfileServiceStub();
    displayName = new displayname.ProfileServiceStub();
  }

  @Override
  public Object call(Interop.Call call) throws Exception {
    if (call.cdata) return callInCData(call);
    switch (call.operation) {
      case "SendInvite": {
        InviteAPIStub.SendInvite request = new InviteAPIStub.SendInvite();
        request.setEnvironmentUUID(call.get("EnvironmentUUID"));
        request.setEnvironmentPassword(call.get("EnvironmentPassword"));
        request.setRoleUUID(call.get("RoleUUID"));
        request.setInviteeEmailAddress(call.get("InviteeEmailAddress"));
        request.setInviterEmailAddress(call.get("InviterEmailAddress"));
        Objects.requireNonNull(invite.sendInvite(request));
        return null;
      }
      case "GetRolesForOpenID": {
        PermissionsAPIStub.GetRolesForOpenID request = new PermissionsAPIStub.GetRolesForOpenID();
        request.setOpenID(call.get("OpenID"));
        request.setEnvironmentID(call.get("EnvironmentID"));
        request.setEnvironmentPassword(call.get("EnvironmentPassword"));
        return roles(permissions.getRolesForOpenID(request));
      }
      case "GetUserProfile": {
        ProfileServiceStub.GetUserProfile request = new ProfileServiceStub.GetUserProfile();
        request.setOpenID(call.get("OpenID"));
        request.setEnvironmentUUID(call.get("EnvironmentUUID"));
        request.setEnvironmentPassword(call.get("EnvironmentPassword"));
        return members(profile.getUserProfile(request).getUserProfile());
      }
      case "GetDisplayName": {
        displayname.ProfileServiceStub.GetDisplayName request = new displayname.ProfileServiceStub.GetDisplayName();
        request.setOpenID(call.get("OpenID"));
        request.setEnvironmentPassword(call.get("EnvironmentPassword"));
        request.setEnvironmentUUID(call.get("EnvironmentUUID"));
        return displayName.getDisplayName(request).getResult();
      }
      default:
        throw new IllegalArgumentException(call.operation);
    }
  }

  /** An absent list is null here, not empty. */
  private static Object roles(PermissionsAPIStub.GetRolesForOpenIDResponse response) {
    List<Object> roles = new ArrayList<>();
    if (response.getAppRole() == null) return roles;
    for (PermissionsAPIStub.AppRole role : response.getAppRole())
      roles.add(Interop.object("UUID", text(role.getUUID()), "DisplayName", text(role.getDisplayName())));
    return roles;
  }

  private static Object members(ProfileServiceStub.UserProfile person) {
    ProfileServiceStub.Company company = person.getUserProfile_Company().getCompany();
    return Interop.object("OpenId", text(person.getOpenId()), "DisplayName", text(person.getDisplayName()),
        "EmailAddress", text(person.getEmailAddress()), "JobTitle", text(person.getJobTitle()), "Department",
        text(person.getDepartment()), "Location", text(person.getLocation()), "Bio", text(person.getBio()), "Website",
        text(person.getWebsite()), "Phone", text(person.getPhone()), "Skype", text(person.getSkype()), "CompanyId",
        text(person.getCompanyId()), "Company", text(person.getCompany()), "UserProfile_Company",
        Interop.object(
            "CompanyId", text(company.getCompanyId()), "CompanyName", text(company.getCompanyName())));
  }

  /** Each restricted string is a class of its own here, whose toString() is the text. */
  private static String text(Object value) {
    return value == null ? null : value.toString();
  }

  /** By hand, on the object model below the stubs: they have no way to ask for CDATA. */
  private Object callInCData(Interop.Call call) throws Exception {
    OMFactory factory = OMAbstractFactory.getOMFactory();
    OMNamespace namespace = factory.createOMNamespace("http://www.example.com/", "tns");
    OMElement wrapper = factory.createOMElement(call.operation, namespace);
    call.parameters.forEach((name, value) -> {
      OMElement parameter = factory.createOMElement(name, null, wrapper);
      parameter.addChild(factory.createOMText(value, XMLStreamConstants.CDATA));
    });
    Stub stub = switch (call.operation) {
      case "SendInvite" -> invite;
      case "GetRolesForOpenID" -> permissions;
      case "GetUserProfile" -> profile;
      default -> displayName;
    };
    ServiceClient client = new ServiceClient();
    Options options = new Options();
    options.setTo(stub._getServiceClient().getOptions().getTo());
    options.setAction("http://www.example.com/" + call.operation);
    client.setOptions(options);
    OMElement answer = client.sendReceive(wrapper);
    try {
      return switch (call.operation) {
        case "SendInvite" -> answer.getFirstOMChild();
        case "GetRolesForOpenID" -> roles(
            PermissionsAPIStub.GetRolesForOpenIDResponse.Factory.parse(answer.getXMLStreamReaderWithoutCaching()));
        case "GetUserProfile" -> members(
            ProfileServiceStub.GetUserProfileResponse.Factory.parse(answer.getXMLStreamReaderWithoutCaching())
                .getUserProfile());
        default -> answer.getFirstElement().getText();
      };
    } finally {
      client.cleanupTransport();
    }
  }

  @Override
  public Interop.Fault fault(Exception exception) {
    if (!(exception instanceof AxisFault fault) || fault.getFaultCode() == null) return null;
    return new Interop.Fault(fault.getFaultCode().getLocalPart(), fault.getMessage(), fault.getDetail().toString());
  }

  public static void main(String[] arguments) throws Exception {
    Interop.run(Axis2Client::new);
  }
}
