// Runs the example's program on the real engine, through the automation API of Pulumi's own SDK.
// That stands for the language host for Java, a Go module of its own which can't be had here.
package deploy;

import com.pulumi.automation.LocalWorkspace;
import com.pulumi.automation.LocalWorkspaceOptions;
import com.pulumi.automation.PreviewOptions;
import com.pulumi.automation.UpOptions;
import com.pulumi.automation.WorkspaceStack;
import java.nio.file.Path;

public final class OnTheEngine {
    public static void main(String[] arguments) throws Exception {
        var here = LocalWorkspaceOptions.builder().workDir(Path.of("").toAbsolutePath()).program(App::deploy).build();
        try (var stack = WorkspaceStack.select("dev", LocalWorkspace.create(here))) {
            stack.up(UpOptions.builder().onStandardOutput(System.out::println).onStandardError(System.err::println).build());
            stack.preview(PreviewOptions.builder().expectNoChanges(true).build());
        }
        System.exit(0);
    }
}
