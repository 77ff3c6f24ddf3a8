import invite.InviteAPIPortType;
import java.util.stream.Collectors;
import permissions.PermissionsAPIPortType;
import profile.UserProfile;

/** The calls through generated port interfaces, which JAX-WS RI and CXF make alike. */
record PortCalls(InviteAPIPortType invite, PermissionsAPIPortType permissions, profile.ProfileServicePortType profile,
    displayname.ProfileServicePortType displayName) {
  Object call(Interop.Call call) {
    return switch (call.operation) {
      case "SendInvite" -> {
        invite.sendInvite(call.get("EnvironmentUUID"), call.get("EnvironmentPassword"), call.get("RoleUUID"),
            call.get("InviteeEmailAddress"), call.get("InviterEmailAddress"));
        yield null;
      }
      case "GetRolesForOpenID" ->
        permissions.getRolesForOpenID(call.get("OpenID"), call.get("EnvironmentID"), call.get("EnvironmentPassword"))
            .stream()
            .map(role -> Interop.object("UUID", role.getUUID(), "DisplayName", role.getDisplayName()))
            .collect(Collectors.toList());
      case "GetUserProfile" ->
        members(profile.getUserProfile(
            call.get("OpenID"), call.get("EnvironmentUUID"), call.get("EnvironmentPassword")));
      case "GetDisplayName" ->
        displayName.getDisplayName(call.get("OpenID"), call.get("EnvironmentPassword"), call.get("EnvironmentUUID"));
      default -> throw new IllegalArgumentException(call.operation);
    };
  }

  private static Object members(UserProfile person) {
    profile.Company company = person.getUserProfileCompany().getCompany();
    return Interop.object("OpenId", person.getOpenId(), "DisplayName", person.getDisplayName(), "EmailAddress",
        person.getEmailAddress(), "JobTitle", person.getJobTitle(), "Department", person.getDepartment(), "Location",
        person.getLocation(), "Bio", person.getBio(), "Website", person.getWebsite(), "Phone", person.getPhone(),
        "Skype", person.getSkype(), "CompanyId", person.getCompanyId(), "Company", person.getCompany(),
        "UserProfile_Company",
        Interop.object("CompanyId", company.getCompanyId(), "CompanyName", company.getCompanyName()));
  }
}
