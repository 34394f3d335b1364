"""Everything that is not the wizard: the authorization application, the application's side of it, and the vendor.

It imports nothing of the rest of the package, and could be lifted out whole.
"""
