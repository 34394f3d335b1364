"""Why a launch does not open the wizard, each in words of its own. docs/embedding.md has the same list."""

from collections.abc import Mapping

from wizard.errors import Problem
from wizard.text import say

AGAIN = say("Open it again from FineOps.")
TELL = say("Tell whoever looks after FineOps; they find what is agreed in the wizard’s documentation.")

REFUSALS: Mapping[str, Problem] = {
    "missing": Problem(
        happened=say("The wizard was not told who opens it."),
        why=say("No launch token came with the request."),
        todo=AGAIN,
    ),
    "long": Problem(
        happened=say("The launch token is too long."),
        why=say("It has more than 4096 characters, which none of FineOps’ has."),
        todo=TELL,
    ),
    "unreadable": Problem(
        happened=say("The launch token cannot be read."),
        why=say("It is no JSON Web Token."),
        todo=TELL,
    ),
    "unsigned": Problem(
        happened=say("The launch token is not signed."),
        why=say("Anybody could have written it."),
        todo=TELL,
    ),
    "header": Problem(
        happened=say("The launch token brings a key of its own, or asks for more than is agreed."),
        why=say("Its header may hold alg, typ and kid, and nothing else. The key is the one that is configured here."),
        todo=TELL,
    ),
    "issuer": Problem(
        happened=say("The launch token comes from an application that is not known here."),
        why=say("Its claim iss is none of those that are configured."),
        todo=TELL,
    ),
    "algorithm": Problem(
        happened=say("The launch token is signed in another way than was agreed."),
        why=say("What is agreed with this application is %(algorithm)s."),
        todo=TELL,
    ),
    "signature": Problem(
        happened=say("The signature of the launch token is wrong."),
        why=say("It was made with another key than the one that is configured here, or the token was changed."),
        todo=TELL,
    ),
    "claim": Problem(
        happened=say("The launch token does not say all that it has to."),
        why=say("Its claim %(claim)s is missing."),
        todo=TELL,
    ),
    "malformed": Problem(
        happened=say("The launch token says something that makes no sense."),
        why=say("Its claim %(claim)s is not of the agreed form."),
        todo=TELL,
    ),
    "audience": Problem(
        happened=say("The launch token is meant for another installation."),
        why=say("Its claim aud is not the one that is configured here."),
        todo=TELL,
    ),
    "lasting": Problem(
        happened=say("The launch token is good for too long."),
        why=say("It may be good for 60 seconds from when it is made, and no longer."),
        todo=TELL,
    ),
    "expired": Problem(
        happened=say("This launch has expired."),
        why=say("The launch token ended %(seconds)s s ago by the clock of this machine."),
        todo=say("Open it again from FineOps. If it stays so, compare the clocks of both machines."),
    ),
    "early": Problem(
        happened=say("This launch is not valid yet."),
        why=say("The launch token begins in %(seconds)s s by the clock of this machine."),
        todo=say("Compare the clocks of both machines, then open it again from FineOps."),
    ),
    "role": Problem(
        happened=say("The launch token gives a role that there is none of."),
        why=say("Its claim role is neither admin nor observer."),
        todo=TELL,
    ),
    "origin": Problem(
        happened=say("The launch token names a page that may not show the wizard."),
        why=say("Its claim origin is none of those that are configured for this application."),
        todo=TELL,
    ),
    "elsewhere": Problem(
        happened=say("The launch token was sent from another page than it names."),
        why=say("The browser says that the request came from another origin than the claim origin."),
        todo=TELL,
    ),
    "project": Problem(
        happened=say("The O&M project that FineOps named is not known here."),
        why=say("No project of the inventory has the slug of the claim project."),
        todo=say("Ask an admin of the wizard to add the project to its inventory, then open it again from FineOps."),
    ),
    "replayed": Problem(
        happened=say("This launch was used already."),
        why=say("A launch token opens the wizard once; loading the frame again sends the same one."),
        todo=AGAIN,
    ),
}
